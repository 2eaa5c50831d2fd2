export const colourMessages = {
  zh: {
    title: '颜色与亮度',
    brightness: '亮度',
    contrast: '对比度',
    gamma: '暗部（伽马）',
    corrected: '按扫描仪的颜色标定显示',
    unreadable: '此切片的颜色标定无法读取，按扫描仪存储的颜色显示。',
    own: '只影响您的屏幕',
    reset: '恢复',
  },
  en: {
    title: 'Colours and brightness',
    brightness: 'Brightness',
    contrast: 'Contrast',
    gamma: 'Dark parts (gamma)',
    corrected: 'Show the scanner’s calibrated colours',
    unreadable: 'The colour profile of this slide cannot be read: colours are shown as the scanner stored them.',
    own: 'On your screen only',
    reset: 'Reset',
  },
}
