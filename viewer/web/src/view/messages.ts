export const viewMessages = {
  zh: {
    view: {
      presenting: '您正在展示，其他人看到与您相同的区域', follows: '正在跟随{name}的画面', free: '{name}正在展示，您在自行浏览', nobody: '暂时没有人展示', follow: '跟随', unfollow: '自行浏览', take: '由我展示', give: '停止展示', close: '关闭资料', close_hint: '为所有人关闭此资料', held: '正在跟随，点“自行浏览”后可移动画面',
      zoom_in: '放大', zoom_out: '缩小', fit: '看全图', rotate: '向右旋转 90°', overview: '点一下，移到那里', page: '第 {page} / {pages} 页', previous: '上一页', next: '下一页', loading: '正在打开…', failed: '此资料打不开，请稍后重试。', magnification: '约 {x} 倍',
    },
  },
  en: {
    view: {
      presenting: 'You are presenting: the others see the same region', follows: 'Following {name}', free: '{name} is presenting; you are looking around on your own', nobody: 'Nobody is presenting', follow: 'Follow', unfollow: 'Look around', take: 'Present', give: 'Stop presenting', close: 'Close file', close_hint: 'Close this file for everybody', held: 'You are following. Press “Look around” to move the picture yourself.',
      zoom_in: 'Zoom in', zoom_out: 'Zoom out', fit: 'Whole picture', rotate: 'Rotate right by 90°', overview: 'Click to go there', page: 'Page {page} of {pages}', previous: 'Previous page', next: 'Next page', loading: 'Opening…', failed: 'This file does not open. Please try again later.', magnification: 'about {x}×',
    },
  },
}
