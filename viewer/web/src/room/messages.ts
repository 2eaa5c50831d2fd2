export const roomMessages = { zh: {}, en: {} }
