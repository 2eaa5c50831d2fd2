export const common = {
  zh: {
    app: { name: '远程会诊', slogan: '让专家就在身边' },
    menu: { requests: '会诊列表', create: '发起会诊', directory: '专家库', minutes: '会诊时长', quality: '通话质量', password: '修改密码', logout: '退出登录', language: 'English' },
    word: {
      ok: '确定', cancel: '取消', save: '保存', saved: '已保存', saving: '正在保存…', back: '返回', close: '关闭', retry: '重试', delete: '删除', search: '查询', reset: '清空', refresh: '刷新',
      loading: '正在加载…', nothing: '暂无内容', yes: '是', no: '否', all: '全部', next: '下一步', previous: '上一步', edit: '修改', total: '共 {n} 条', day0: '昨天', day1: '今天', day2: '明天', show: '显示', hide: '隐藏', more: '更多',
    },
    problem: {
      unknown: '操作没有成功，请重试。', network: '网络连接不上，请检查网络后重试。', session: '登录已过期，请重新登录。', forbidden: '您没有权限进行此操作。', missing: '没有找到相关内容，可能已被删除。',
      too_large: '内容太大。', too_many: '操作太频繁，请稍后再试。', busy: '系统繁忙，请稍后再试。', server: '系统出了故障，请稍后再试。', refused: '操作未被接受。', with_detail: '{text}（{detail}）',
      field: {
        revision: '内容已在别处被修改，请刷新后再改。', state: '此会诊的状态已经变化，现在不能进行这项操作，请刷新。', record: '请先填写会诊记录。', findings: '请先填写“检查所见”。', conclusion: '请先填写“会诊结论”。', files: '必需的资料还没有上传齐全。', old: '当前密码不正确。', new: '新密码不能与当前密码相同。',
        password: '新密码不符合要求。', kind: '不接受这种类型的文件。', content: '文件内容与文件名后缀不符，或文件名不合要求，未被接受。', sha256: '收到的内容与原文件不一致，已丢弃，请重新上传。', size: '文件太大或是空文件，未被接受。', experts: '所选专家无效，请重新选择。', at: '会诊时间不正确。', minutes: '会诊时长应在 5 至 720 分钟之间。', name: '姓名太长。', reason: '请填写原因（不超过 500 字）。', text: '请填写内容，且不要太长。',
        patient: '患者姓名或性别不正确。', birth_date: '出生日期不正确。', identity_number: '证件号码只能包含字母和数字。', phone: '电话号码不正确。', diagnosis: '请填写诊断（不超过 2000 字节）。', question: '会诊目的太长。',
      },
    },
    notfound: { title: '没有这个页面', home: '回到首页' },
  },
  en: {
    app: { name: 'Consilium', slogan: 'Specialists, within reach' },
    menu: { requests: 'Consultations', create: 'New request', directory: 'Experts', minutes: 'Minutes', quality: 'Call quality', password: 'Change password', logout: 'Log out', language: '中文' },
    word: {
      ok: 'OK', cancel: 'Cancel', save: 'Save', saved: 'Saved', saving: 'Saving…', back: 'Back', close: 'Close', retry: 'Try again', delete: 'Delete', search: 'Search', reset: 'Clear', refresh: 'Refresh',
      loading: 'Loading…', nothing: 'Nothing here yet', yes: 'Yes', no: 'No', all: 'All', next: 'Next', previous: 'Back', edit: 'Edit', total: '{n} in all', day0: 'Yesterday', day1: 'Today', day2: 'Tomorrow', show: 'Show', hide: 'Hide', more: 'More',
    },
    problem: {
      unknown: 'That did not work. Please try again.', network: 'No connection. Please check the network and try again.', session: 'Your session has ended. Please log in again.', forbidden: 'You have no right to do this.',
      missing: 'Not found. It may have been deleted.', too_large: 'Too large.', too_many: 'Too many attempts. Please wait a moment.', busy: 'The system is busy. Please try again shortly.',
      server: 'The system has a fault. Please try again shortly.', refused: 'Not accepted.', with_detail: '{text} ({detail})',
      field: {
        revision: 'It was changed elsewhere. Please load it again.', state: 'The consultation has moved on; this is not possible now. Please refresh.', record: 'Write the consultation record first.', findings: 'Write the findings first.', conclusion: 'Write the conclusion first.', files: 'Required files are missing.', old: 'The present password is wrong.', new: 'The new password must differ from the present one.',
        password: 'The new password does not follow the rules.', kind: 'Files of this kind are not accepted.', content: 'The content is not what the file name says, or the name is not acceptable.', sha256: 'What arrived differs from the file. Please upload it again.', size: 'The file is too large, or empty.', experts: 'Please choose the experts again.', at: 'The time is not valid.', minutes: 'The length must be 5 to 720 minutes.', name: 'The name is too long.', reason: 'Please give a reason (at most 500 characters).', text: 'Please write something, and not too much.',
        patient: 'The patient\'s name or sex is not valid.', birth_date: 'The date of birth is not valid.', identity_number: 'An identity number holds letters and digits only.', phone: 'The phone number is not valid.', diagnosis: 'Please write the diagnosis, not too long.', question: 'The question is too long.',
      },
    },
    notfound: { title: 'There is no such page', home: 'Home' },
  },
}
