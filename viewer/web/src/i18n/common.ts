export const common = {
  zh: {
    app: { name: '远程会诊', slogan: '让专家就在身边' },
    menu: { requests: '会诊列表', create: '发起会诊', directory: '专家库', minutes: '会诊时长', password: '修改密码', logout: '退出登录', language: 'English' },
    word: {
      ok: '确定', cancel: '取消', save: '保存', saved: '已保存', saving: '正在保存…', back: '返回', close: '关闭', retry: '重试', delete: '删除', search: '查询', reset: '清空', refresh: '刷新',
      loading: '正在加载…', nothing: '暂无内容', yes: '是', no: '否', all: '全部', next: '下一步', previous: '上一步', edit: '修改', total: '共 {n} 条',
    },
    problem: {
      unknown: '操作没有成功，请重试。', network: '网络连接不上，请检查网络后重试。', session: '登录已过期，请重新登录。', forbidden: '您没有权限进行此操作。', missing: '没有找到相关内容，可能已被删除。',
      too_large: '内容太大。', too_many: '操作太频繁，请稍后再试。', busy: '系统繁忙，请稍后再试。', server: '系统出了故障，请稍后再试。', refused: '操作未被接受。', with_detail: '{text}（{detail}）',
    },
    notfound: { title: '没有这个页面', home: '回到首页' },
  },
  en: {
    app: { name: 'Consilium', slogan: 'Specialists, within reach' },
    menu: { requests: 'Consultations', create: 'New request', directory: 'Experts', minutes: 'Minutes', password: 'Change password', logout: 'Log out', language: '中文' },
    word: {
      ok: 'OK', cancel: 'Cancel', save: 'Save', saved: 'Saved', saving: 'Saving…', back: 'Back', close: 'Close', retry: 'Try again', delete: 'Delete', search: 'Search', reset: 'Clear', refresh: 'Refresh',
      loading: 'Loading…', nothing: 'Nothing here yet', yes: 'Yes', no: 'No', all: 'All', next: 'Next', previous: 'Back', edit: 'Edit', total: '{n} in all',
    },
    problem: {
      unknown: 'That did not work. Please try again.', network: 'No connection. Please check the network and try again.', session: 'Your session has ended. Please log in again.', forbidden: 'You have no right to do this.',
      missing: 'Not found. It may have been deleted.', too_large: 'Too large.', too_many: 'Too many attempts. Please wait a moment.', busy: 'The system is busy. Please try again shortly.',
      server: 'The system has a fault. Please try again shortly.', refused: 'Not accepted.', with_detail: '{text} ({detail})',
    },
    notfound: { title: 'There is no such page', home: 'Home' },
  },
}
