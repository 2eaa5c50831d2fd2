export const minutesMessages = {
  zh: {
    minutes: {
      title: '会诊时长', total: '本月加权分钟', quota: '月额度', left: '剩余', rule: '计量规则', rule_name: { aggregate: '按接收画面总面积', max_tier: '按最大画面' }, rule_hint: { aggregate: '每人同时接收的所有画面面积相加，决定清晰度档位', max_tier: '每人接收的最大一路画面决定清晰度档位' }, used: '已用 {percent}%', warn1: '已超过额度的 70%', warn2: '已超过额度的 85%', warn3: '额度即将用完：用完后只能开启紧急会诊',
      by_day: '每日加权分钟', by_tier: '各档加权分钟', tiers: '各档明细', share: '分摊', segments: '计量明细', unit: '分钟', none: '本月还没有会诊', csv: '下载 CSV', pick: '点击一行，只看它的计量明细', earlier: '上个月', later: '下个月', by: { room: '会诊室', user: '人员', hospital: '医院' }, unnamed: { room: '（已删除的会诊室）', user: '设备与录制', hospital: '（未登记）' },
      column: { start: '开始时间', person: '人员', room: '会诊室', length: '时长', length_s: '时长（秒）', area: '接收面积（像素）', area_max: '最大画面（像素）', area_k: '面积（千像素）', tier: '档位', weight: '权重', weighted: '加权分钟', minutes: '分钟', real: '实际分钟', share: '占比', cause: '结束原因' },
      tier: { voice: '仅语音', sd: '标清', hd: '高清', super_hd: '超清', '2k': '2K', '4k': '4K' }, kind: { person: '人员', bot: '录制', device: '设备' }, cause: { leave: '离开', timeout: '断线', tier: '档位变化', month: '跨月', checkpoint: '阶段记录', shutdown: '服务停止', crash: '服务中断' },
    },
  },
  en: {
    minutes: {
      title: 'Minutes', total: 'Weighted minutes this month', quota: 'Quota', left: 'Left', rule: 'Rule', rule_name: { aggregate: 'sum of pictures received', max_tier: 'largest picture received' }, rule_hint: { aggregate: 'The areas of all pictures that somebody receives together decide the tier', max_tier: 'The largest picture that somebody receives decides the tier' }, used: '{percent}% used', warn1: 'over 70% of the quota', warn2: 'over 85% of the quota', warn3: 'nearly used up: after that only urgent rooms open',
      by_day: 'Weighted minutes per day', by_tier: 'Weighted minutes per tier', tiers: 'Tiers', share: 'Shares', segments: 'Segments', unit: 'min', none: 'No consultations this month', csv: 'CSV', pick: 'Click a row to see only its segments', earlier: 'Month before', later: 'Month after', by: { room: 'Room', user: 'Person', hospital: 'Hospital' }, unnamed: { room: '(deleted room)', user: 'Devices and recorders', hospital: '(unknown)' },
      column: { start: 'Start', person: 'Person', room: 'Room', length: 'Length', length_s: 'Length (s)', area: 'Area received (pixels)', area_max: 'Largest picture (pixels)', area_k: 'Area (1,000 px)', tier: 'Tier', weight: 'Weight', weighted: 'Weighted min', minutes: 'Minutes', real: 'Real min', share: 'Share', cause: 'End' },
      tier: { voice: 'Voice', sd: 'SD', hd: 'HD', super_hd: 'Super HD', '2k': '2K', '4k': '4K' }, kind: { person: 'Person', bot: 'Recorder', device: 'Device' }, cause: { leave: 'left', timeout: 'connection lost', tier: 'tier changed', month: 'month ended', checkpoint: 'recorded in between', shutdown: 'server stopped', crash: 'server failed' },
    },
  },
}
