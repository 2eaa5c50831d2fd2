export const viewMessages = { zh: {}, en: {} }
