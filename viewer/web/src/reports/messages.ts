export const reportMessages = { zh: {}, en: {} }
