export const minutesMessages = { zh: {}, en: {} }
