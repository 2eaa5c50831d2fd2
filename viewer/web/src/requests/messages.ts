export const requestMessages = { zh: {}, en: {} }
