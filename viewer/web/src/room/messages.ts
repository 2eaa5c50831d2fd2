export const roomMessages = {
  zh: {
    room: {
      title: '视频会诊', entering: '正在进入会诊室…', enter: '进入会诊室', me: '我', reconnecting: '网络中断，正在自动重新连接…', play: '点击此处播放声音', alone: '会诊室里暂时只有您，其他人到达后会自动显示', hidden: '还有 {n} 人未显示画面',
      speaking: '正在发言', pin: '放大', unpin: '取消放大', show_view: '看共享资料', show_video: '看视频',
      check: { title: '进入前，检查一下设备', camera: '摄像头', mic: '麦克风', speaker: '扬声器', speak: '请说句话，绿条应随声音跳动', tone: '播放测试音', toning: '正在播放…', camera_off: '摄像头已关闭', no_camera: '未使用摄像头，可仅用语音参加', no_mic: '未使用麦克风，您可以看和听，但别人听不到您', default: '系统默认', use_camera: '打开摄像头', use_mic: '打开麦克风', ready: '一切就绪', opening: '正在打开设备…' },
      device: { insecure: '请用 https:// 地址打开本页，浏览器才允许使用摄像头和麦克风。', denied: '浏览器未获准使用此设备。请点击地址栏旁的图标，选择“允许”，再重试。', missing: '没有找到设备。', in_use: '设备正被其他程序占用，请关闭后重试。', failed: '设备打不开，请重新插拔后重试。' },
      control: { mute: '静音', unmute: '取消静音', camera_off: '关闭摄像头', camera_on: '打开摄像头', share: '共享屏幕', unshare: '停止共享', panel: '资料与成员', settings: '设置', leave: '离开', layout_grid: '平铺', layout_stage: '突出发言人', mic_none: '无麦克风', camera_none: '无摄像头' },
      state: { off: '摄像头已关闭', voice: '仅语音', waiting: '画面正在接入…', paused: '网络带宽不足，画面已暂停', codec: '本浏览器无法播放此画面（{codec}）', screen: '{name} 的屏幕', device: '{name} 的设备', muted: '已静音' },
      mark: ['已断开', '网络很差', '网络较差', '网络良好', '网络很好'], mark_unknown: '正在测量',
      why: {
        hide: '知道了',
        own: {
          up_slow: '您的上行网速不足，画面正以{tier}发送', cpu: '您的电脑太忙，画面已降低清晰度，请关闭其他程序', mic_silent: '没有收到您麦克风的声音，请检查麦克风', camera_silent: '没有收到您摄像头的画面，请检查摄像头',
          sends_less: '您的上行网速不足或电脑太忙，画面清晰度已降低', up_loss: '您的上行网络丢包，别人看到和听到的可能卡顿', down_slow: '您的下行网速不足，部分画面已降低清晰度或暂停', down_loss: '您的下行网络丢包，画面和声音可能卡顿',
          tcp: '您的网络不允许 UDP，通话改走 TCP，可能卡顿', delay: '您的网络延迟较大，对话会有停顿', jitter: '您的网络不稳定，声音可能断续', relay: '您的通话经中继服务器转发',
        },
        other: {
          up_slow: '{name}的上行网速不足', cpu: '{name}的电脑太忙', mic_silent: '没有收到{name}麦克风的声音', camera_silent: '没有收到{name}摄像头的画面', sends_less: '{name}的上行网速不足或电脑太忙，画面清晰度已降低',
          up_loss: '{name}的网络丢包，画面和声音可能卡顿', down_slow: '{name}的下行网速不足', down_loss: '{name}的下行网络丢包', tcp: '{name}的网络不允许 UDP，通话走 TCP', delay: '{name}的网络延迟较大', jitter: '{name}的网络不稳定', relay: '{name}的通话经中继服务器转发',
        },
      },
      settings: { title: '设置', own: '我的画面清晰度', receive: '接收画面清晰度', layout: '画面排列' },
      tier: { voice: '仅声音', sd: '标清', hd: '高清', super_hd: '超清', '2k': '2K', '4k': '4K' },
      panel: { files: '资料', slide: '切片', people: '成员（{n}）', report: '报告', no_files: '此会诊还没有上传资料', open: '打开给大家看', opened: '正在展示', converting: '正在转换…', failed: '无法打开', bot: '录制', device: '设备' },
      ended: {
        left: '您已离开会诊室', replaced: '您已在其他窗口进入此会诊', closed: '会诊室已关闭', full: '会诊室人数已满', forbidden: '您没有进入此会诊室的权限', not_found: '会诊室不存在或已关闭', unauthorized: '登录已过期，请重新登录', sdp: '浏览器与服务器无法建立视频连接', failed: '进入会诊室没有成功',
        again: '重新进入', request: '查看会诊详情', home: '返回会诊列表',
      },
    },
  },
  en: {
    room: {
      title: 'Consultation', entering: 'Entering…', enter: 'Enter the room', me: 'me', reconnecting: 'Connection lost. Reconnecting…', play: 'Click here to hear the others', alone: 'You are the first here. Others will appear when they arrive.', hidden: '{n} more without a picture',
      speaking: 'speaking', pin: 'Enlarge', unpin: 'Make smaller', show_view: 'Shared file', show_video: 'Video',
      check: { title: 'Check your devices before entering', camera: 'Camera', mic: 'Microphone', speaker: 'Speaker', speak: 'Say something: the bar should move', tone: 'Play a test tone', toning: 'Playing…', camera_off: 'The camera is off', no_camera: 'Without a camera you take part by voice', no_mic: 'Without a microphone you can watch and listen only', default: 'System default', use_camera: 'Use the camera', use_mic: 'Use the microphone', ready: 'Everything is ready', opening: 'Opening the devices…' },
      device: { insecure: 'Open this page by its https:// address, or the browser gives no access to camera and microphone.', denied: 'The browser may not use this device. Allow it beside the address bar, then try again.', missing: 'No such device was found.', in_use: 'Another program is using this device. Close it and try again.', failed: 'The device does not open. Plug it in again and retry.' },
      control: { mute: 'Mute', unmute: 'Unmute', camera_off: 'Camera off', camera_on: 'Camera on', share: 'Share screen', unshare: 'Stop sharing', panel: 'Files & people', settings: 'Settings', leave: 'Leave', layout_grid: 'Grid', layout_stage: 'Speaker', mic_none: 'No microphone', camera_none: 'No camera' },
      state: { off: 'Camera is off', voice: 'Voice only', waiting: 'Picture is coming…', paused: 'Paused: not enough bandwidth', codec: 'This browser cannot play this picture ({codec})', screen: "{name}'s screen", device: "{name}'s device", muted: 'muted' },
      mark: ['Gone', 'Very poor connection', 'Poor connection', 'Good connection', 'Very good connection'], mark_unknown: 'Measuring',
      why: {
        hide: 'Understood',
        own: {
          up_slow: 'Your upload is too slow: your picture is sent in {tier}', cpu: 'Your computer is too busy: your picture is less sharp. Close other programs', mic_silent: 'No sound of your microphone is arriving. Check the microphone', camera_silent: 'No picture of your camera is arriving. Check the camera',
          sends_less: 'Your upload is too slow or your computer too busy: your picture is less sharp', up_loss: 'Your connection loses what you send: the others may hear and see you stutter', down_slow: 'Your download is too slow: some pictures are less sharp or paused', down_loss: 'Your connection loses packets: sound and pictures may stutter',
          tcp: 'Your network blocks UDP: the call runs over TCP and may stutter', delay: 'Your connection is slow to answer: expect pauses when you talk', jitter: 'Your connection is unsteady: sound may break up', relay: 'Your call runs through a relay server',
        },
        other: {
          up_slow: "{name}'s upload is too slow", cpu: "{name}'s computer is too busy", mic_silent: "No sound of {name}'s microphone is arriving", camera_silent: "No picture of {name}'s camera is arriving", sends_less: "{name}'s upload is too slow or the computer too busy: the picture is less sharp",
          up_loss: "{name}'s connection loses packets: sound and picture may stutter", down_slow: "{name}'s download is too slow", down_loss: "{name}'s connection loses what we send", tcp: "{name}'s network blocks UDP: the call runs over TCP", delay: "{name}'s connection is slow to answer", jitter: "{name}'s connection is unsteady", relay: "{name}'s call runs through a relay server",
        },
      },
      settings: { title: 'Settings', own: 'My picture', receive: 'Pictures I receive', layout: 'Layout' },
      tier: { voice: 'Voice only', sd: 'SD', hd: 'HD', super_hd: 'Super HD', '2k': '2K', '4k': '4K' },
      panel: { files: 'Files', slide: 'Slide', people: 'People ({n})', report: 'Report', no_files: 'No files have been uploaded yet', open: 'Show to everybody', opened: 'On show', converting: 'Converting…', failed: 'Cannot be opened', bot: 'Recorder', device: 'Device' },
      ended: {
        left: 'You have left the room', replaced: 'You entered this room in another window', closed: 'The room was closed', full: 'The room is full', forbidden: 'You may not enter this room', not_found: 'There is no such room, or it was closed', unauthorized: 'Your session has ended', sdp: 'Browser and server cannot agree on a connection', failed: 'Entering the room did not work',
        again: 'Enter again', request: 'Open the request', home: 'Back to the list',
      },
    },
  },
}
