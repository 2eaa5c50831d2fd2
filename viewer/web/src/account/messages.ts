export const accountMessages = {
  zh: {
    account: {
      login: '登录', username: '用户名', password: '密码', username_required: '请输入用户名', password_required: '请输入密码', wrong: '用户名或密码不正确。', locked: '账号已锁定，请稍后再试或联系管理员。',
      change: '修改密码', old: '当前密码', new: '新密码', repeat: '再输入一次新密码', rule: '至少 10 个字符，包含字母、数字和符号，且不包含用户名。', differ: '两次输入的新密码不一致', changed: '密码已修改，请牢记新密码。', ended: '登录已过期，请重新登录。',
    },
  },
  en: {
    account: {
      login: 'Log in', username: 'Username', password: 'Password', username_required: 'Enter your username', password_required: 'Enter your password', wrong: 'Wrong username or password.', locked: 'This account is locked. Try again later or ask an administrator.',
      change: 'Change password', old: 'Present password', new: 'New password', repeat: 'New password again', rule: 'At least 10 characters with a letter, a digit and a symbol, without your username.', differ: 'The two new passwords differ', changed: 'Your password has been changed.', ended: 'Your session has ended. Please log in again.',
    },
  },
}
