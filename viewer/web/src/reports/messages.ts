export const reportMessages = {
  zh: {
    report: {
      title: '会诊报告', heading: '远程会诊报告', findings: '检查所见', conclusion: '会诊结论', advice: '诊疗建议', findings_hint: '病历、影像、切片所见', conclusion_hint: '诊断意见', advice_hint: '下一步检查和治疗建议（可不填）', dirty: '正在编辑…', saving: '正在保存…', saved_at: '{time} 已自动保存', not_saved: '尚未保存，将自动重试。', sign: '签发报告', signed: '报告已签发', ask_sign: '签发后报告立即发给申请医生。确定签发吗？', ask_amend: '将发布修订后的新版本，原版本仍会保留。确定签发吗？',
      conflict: '这份报告刚刚在另一个窗口里被修改过。请选择保留哪一份：', take_theirs: '用另一个窗口里的', keep_mine: '用这里写的', unsaved: '报告还没有保存成功，确定离开吗？', print: '打印', pdf: '下载 PDF', version: '第 {n} 版', amending: '正在修订第 {n} 版，签发前其他人看到的仍是原版本。', tab: '报告', done: '报告已签发。', wait: '主诊专家在此书写报告。',
    },
  },
  en: {
    report: {
      title: 'Report', heading: 'Remote Consultation Report', findings: 'Findings', conclusion: 'Conclusion', advice: 'Advice', findings_hint: 'What records, images and slides show', conclusion_hint: 'Diagnosis', advice_hint: 'Further examination and treatment (may stay empty)', dirty: 'Editing…', saving: 'Saving…', saved_at: 'Saved at {time}', not_saved: 'Not saved yet; it will be tried again.', sign: 'Sign', signed: 'The report is signed', ask_sign: 'The referring doctor gets the report at once. Sign?', ask_amend: 'A new version is published; the former one is kept. Sign?',
      conflict: 'This report was just changed in another window. Which one is right?', take_theirs: 'The other window’s', keep_mine: 'What is written here', unsaved: 'The report has not been saved. Leave anyway?', print: 'Print', pdf: 'PDF', version: 'version {n}', amending: 'You are amending version {n}; others see it until you sign.', tab: 'Report', done: 'The report is signed.', wait: 'The lead expert writes the report here.',
    },
  },
}
