export const adminMessages = { zh: {}, en: {} }
