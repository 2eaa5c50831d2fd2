export const adminMessages = {
  zh: { directory: { title: '专家库', search: '姓名、科室、医院', all: '全部医院', role: { expert: '专家', referrer: '申请医生' }, only_experts: '只看专家', count: '{doctors} 位医生，{hospitals} 家医院', none: '没有符合条件的医生', nobody: '暂无医生' },
    quality: {
      title: '通话质量', none: '现在没有进行中的会诊室', choose: '选择一个会诊室，查看每个人的通话质量', span: '时间范围', minutes: '{n} 分钟', people: '{n} 人在线', ended: '{at} 结束', left_at: '{at} 离开', soon: '10 秒后开始有曲线', off: '已关闭', nothing: '没有画面', sees: '正在观看', no_names: '您的角色不显示姓名。',
      pictures: '{n} 路画面，{paused} 路暂停', layers: '收到 {received} 层 / 要求 {asked} 层 / 共 {layers} 层', mark: ['已断开', '很差', '较差', '良好', '很好'],
      kind: { person: '人员', bot: '录制', device: '设备' }, source: { mic: '麦克风', camera: '摄像头', screen: '屏幕', device: '设备画面' },
      column: { who: '人员', state: '质量与原因', rate: '码率', loss: '丢包', delay: '时延 / 抖动', path: '方式', marks: '最近 {n} 分钟' },
      chart: { rate: '码率与估计', loss: '丢包', delay: '时延与抖动', picture: '画面高度', repair: '重传与关键帧请求', shown: '图层与暂停' }, unit: { lines: '行', per_point: '次 / 10 秒', count: '个' },
      line: { up: '上行', down: '下行', wanted: '需要', estimate: '估计可用', rtt: '往返时延', jitter: '抖动', sends: '发出', gets: '收到', nacks_in: '下行重传', nacks_out: '上行重传', plis_in: '下行关键帧', plis_out: '上行关键帧', layers: '收到的图层', paused: '暂停的画面' },
      why: { up_loss: '上行丢包', down_loss: '下行丢包', delay: '往返时延大', jitter: '网络不稳定', up_slow: '上行网速不足', cpu: '电脑太忙', sends_less: '发出的画面变小（上行慢或电脑忙）', down_slow: '下行网速不足', mic_silent: '收不到麦克风声音', camera_silent: '收不到摄像头画面', tcp: '走 TCP（UDP 被拦）', relay: '经中继转发' },
    } },
  en: { directory: { title: 'Experts', search: 'Name, department, hospital', all: 'All hospitals', role: { expert: 'Expert', referrer: 'Referring doctor' }, only_experts: 'Experts only', count: '{doctors} doctors, {hospitals} hospitals', none: 'Nobody matches', nobody: 'Nobody yet' },
    quality: {
      title: 'Call quality', none: 'No room is in use', choose: 'Choose a room to see how well everybody is connected', span: 'Time', minutes: '{n} min', people: '{n} connected', ended: 'ended at {at}', left_at: 'left at {at}', soon: 'Curves begin after 10 seconds', off: 'off', nothing: 'no picture', sees: 'Sees', no_names: 'Your role does not show names.',
      pictures: '{n} pictures, {paused} paused', layers: '{received} layers received / {asked} asked / {layers} offered', mark: ['Gone', 'Very poor', 'Poor', 'Good', 'Very good'],
      kind: { person: 'Person', bot: 'Recorder', device: 'Device' }, source: { mic: 'Microphone', camera: 'Camera', screen: 'Screen', device: 'Device' },
      column: { who: 'Who', state: 'Quality and why', rate: 'Bitrate', loss: 'Loss', delay: 'Delay / jitter', path: 'Path', marks: 'Last {n} minutes' },
      chart: { rate: 'Bitrates and estimate', loss: 'Loss', delay: 'Delay and jitter', picture: 'Picture height', repair: 'Retransmissions and key frames', shown: 'Layers and pauses' }, unit: { lines: 'lines', per_point: 'per 10 s', count: '' },
      line: { up: 'up', down: 'down', wanted: 'needed', estimate: 'estimated to fit', rtt: 'round trip', jitter: 'jitter', sends: 'sends', gets: 'gets', nacks_in: 'again, down', nacks_out: 'again, up', plis_in: 'key, down', plis_out: 'key, up', layers: 'layers received', paused: 'pictures paused' },
      why: { up_loss: 'loses packets upward', down_loss: 'loses packets downward', delay: 'long round trip', jitter: 'unsteady network', up_slow: 'upload too slow', cpu: 'computer too busy', sends_less: 'sends a smaller picture (slow upload or busy computer)', down_slow: 'download too slow', mic_silent: 'no microphone sound arrives', camera_silent: 'no camera picture arrives', tcp: 'over TCP (UDP blocked)', relay: 'through a relay' },
    } },
}
