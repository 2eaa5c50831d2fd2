export const roomMessages = {
  zh: {
    room: {
      title: '视频会诊', entering: '正在进入会诊室…', enter: '进入会诊室', me: '我', reconnecting: '网络中断，正在自动重新连接…', play: '点击此处播放声音', alone: '会诊室里暂时只有您，其他人到达后会自动显示', hidden: '还有 {n} 人未显示画面',
      speaking: '正在发言', pin: '放大', unpin: '取消放大', show_view: '看共享资料', show_video: '看视频',
      check: { title: '进入前，检查一下设备', camera: '摄像头', mic: '麦克风', speaker: '扬声器', speak: '请说句话，绿条应随声音跳动', tone: '播放测试音', toning: '正在播放…', camera_off: '摄像头已关闭', no_camera: '未使用摄像头，可仅用语音参加', no_mic: '未使用麦克风，您可以看和听，但别人听不到您', default: '系统默认', use_camera: '打开摄像头', use_mic: '打开麦克风', ready: '一切就绪', opening: '正在打开设备…' },
      device: { insecure: '请用 https:// 地址打开本页，浏览器才允许使用摄像头和麦克风。', denied: '浏览器未获准使用此设备。请点击地址栏旁的图标，选择“允许”，再重试。', missing: '没有找到设备。', in_use: '设备正被其他程序占用，请关闭后重试。', failed: '设备打不开，请重新插拔后重试。' },
      control: { mute: '静音', unmute: '取消静音', camera_off: '关闭摄像头', camera_on: '打开摄像头', share: '共享屏幕', unshare: '停止共享', panel: '资料与成员', settings: '设置', leave: '离开', layout_grid: '平铺', layout_stage: '突出发言人', hand: '举手', hand_down: '放下手', mic_none: '无麦克风', camera_none: '无摄像头' },
      state: { off: '摄像头已关闭', voice: '仅语音', waiting: '画面正在接入…', paused: '网络带宽不足，画面已暂停', codec: '本浏览器无法播放此画面（{codec}）', limit: '画面超过会诊室的清晰度上限，正在等对方降低', screen: '{name} 的屏幕', device: '{name} 的设备', muted: '已静音' },
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
      host: {
        badge: '主持', hand: '举手', mute_all: '全体静音', lock: '锁定会诊室', unlock: '解除锁定', lobby: '进入前须经主持人同意', unmute: '允许自行取消静音', tier: '全室最高清晰度', codec: '视频编码', no_limit: '不限', ceiling: '清晰度上限', limited: '清晰度上限：{tier}', menu: '管理 {name}',
        knock: '{name} 请求进入', knock_removed: '{name} 曾被移出，请求重新进入', knock_more: '另有 {n} 人等候', waits: '正在等候', removed_waits: '曾被移出，正在等候', admit: '允许进入', refuse: '拒绝',
        act: { mute: '静音', ask_mic: '请其打开麦克风', camera_off: '关闭其摄像头', ask_camera: '请其打开摄像头', lower_hand: '放下其举手', remove: '移出会诊室' }, remove_title: '移出 {name}？', remove_text: '移出后一分钟内，未经主持人同意不能再次进入。',
      },
      asked: { mic: '{name} 请您打开麦克风', camera: '{name} 请您打开摄像头', no: '暂不' },
      tell: {
        muted_by: '{name} 已将您静音', picture_off_by: '{name} 已关闭您的画面', hand_lowered: '{name} 已放下您的举手', hand_raised: '{name} 举手', now_host: '您现在是会诊室的主持人', muted_all: '已将其他人全部静音', asked: '已请 {name} 打开', locked: '{name} 已锁定会诊室', unlocked: '{name} 已解除锁定',
        unmute_host: '发言现由主持人安排，请举手', unmute_all: '大家可以自行打开麦克风', host_decides: '发言由主持人安排：请举手，主持人会请您打开', video_full: '已有 {n} 人打开摄像头，达到上限；您仍可语音参加', ceiling: '主持人已将您的画面清晰度限制为{tier}', ceiling_off: '画面清晰度不再受限', not_host: '只有主持人可以这样做', gone: '此人已不在会诊室', failed: '没有成功，请重试',
      },
      waiting: { lobby: '请稍候，主持人同意后即可进入', removed: '主持人已将您移出，正在询问是否允许您重新进入', stay: '请不要关闭此页面。' },
      settings: { title: '设置', own: '我的画面清晰度', receive: '接收画面清晰度', layout: '画面排列', ceiling: '主持人设定的最高清晰度为{tier}，更高的不能选择。' },
      codec: {
        vp8: { name: '自动（VP8）', why: '各种电脑和手机都能用，一般不必更改。' }, h264: { name: 'H.264（老设备）', why: '适合较旧的电脑和会议终端；个别浏览器不支持，其画面仍用 VP8。' },
        vp9: { name: 'VP9（更清晰）', why: '同样网速下更清晰；电脑负担较重。' }, av1: { name: 'AV1（最省流量）', why: '网速最慢时用；电脑负担最重，只适合新电脑。' },
      },
      tier: { voice: '仅声音', sd: '标清', hd: '高清', super_hd: '超清', '2k': '2K', '4k': '4K' },
      panel: { files: '资料', slide: '切片', people: '成员（{n}）', report: '报告', no_files: '此会诊还没有上传资料', open: '打开给大家看', opened: '正在展示', converting: '正在转换…', failed: '无法打开', bot: '录制', device: '设备' },
      ended: {
        left: '您已离开会诊室', removed: '主持人 {name} 已将您移出会诊室', refused: '主持人暂不同意您进入', locked: '会诊室已锁定，暂时不能进入', replaced: '您已在其他窗口进入此会诊', closed: '会诊室已关闭', full: '会诊室人数已满', forbidden: '您没有进入此会诊室的权限', not_found: '会诊室不存在或已关闭', unauthorized: '登录已过期，请重新登录', sdp: '浏览器与服务器无法建立视频连接', failed: '进入会诊室没有成功',
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
      control: { mute: 'Mute', unmute: 'Unmute', camera_off: 'Camera off', camera_on: 'Camera on', share: 'Share screen', unshare: 'Stop sharing', panel: 'Files & people', settings: 'Settings', leave: 'Leave', layout_grid: 'Grid', layout_stage: 'Speaker', hand: 'Raise hand', hand_down: 'Lower hand', mic_none: 'No microphone', camera_none: 'No camera' },
      state: { off: 'Camera is off', voice: 'Voice only', waiting: 'Picture is coming…', paused: 'Paused: not enough bandwidth', codec: 'This browser cannot play this picture ({codec})', limit: 'Above the quality limit: waiting for a smaller picture', screen: "{name}'s screen", device: "{name}'s device", muted: 'muted' },
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
      host: {
        badge: 'Host', hand: 'Hand raised', mute_all: 'Mute all', lock: 'Lock room', unlock: 'Unlock', lobby: 'Ask me before anybody enters', unmute: 'People may unmute themselves', tier: 'Best quality in this room', codec: 'Video coding', no_limit: 'No limit', ceiling: 'Best quality', limited: 'At most {tier}', menu: 'Manage {name}',
        knock: '{name} asks to enter', knock_removed: '{name} was removed and asks to come back', knock_more: '{n} more are waiting', waits: 'is waiting', removed_waits: 'was removed, is waiting', admit: 'Let in', refuse: 'Refuse',
        act: { mute: 'Mute', ask_mic: 'Ask to unmute', camera_off: 'Switch the camera off', ask_camera: 'Ask to switch the camera on', lower_hand: 'Lower the hand', remove: 'Remove from the room' }, remove_title: 'Remove {name}?', remove_text: 'For one minute they can come back only if a host lets them in.',
      },
      asked: { mic: '{name} asks you to unmute', camera: '{name} asks you to switch your camera on', no: 'Not now' },
      tell: {
        muted_by: '{name} muted you', picture_off_by: '{name} switched your picture off', hand_lowered: '{name} lowered your hand', hand_raised: '{name} raised a hand', now_host: 'You are the host of this room now', muted_all: 'Everybody else is muted', asked: '{name} was asked', locked: '{name} locked the room', unlocked: '{name} unlocked the room',
        unmute_host: 'The host gives the word now: raise your hand', unmute_all: 'Everybody may unmute now', host_decides: 'The host gives the word here: raise your hand', video_full: '{n} people have their camera on, which is the limit. You take part by voice.', ceiling: 'The host limited your pictures to {tier}', ceiling_off: 'Picture quality is not limited any more', not_host: 'Only a host may do that', gone: 'This person is not in the room any more', failed: 'That did not work. Please try again.',
      },
      waiting: { lobby: 'Please wait until the host lets you in', removed: 'The host removed you and is asked whether you may come back', stay: 'Please keep this page open.' },
      settings: { title: 'Settings', own: 'My picture', receive: 'Pictures I receive', layout: 'Layout', ceiling: 'The host set {tier} as the best quality: better ones cannot be chosen.' },
      codec: {
        vp8: { name: 'Automatic (VP8)', why: 'Works on every computer and phone. Rarely needs changing.' }, h264: { name: 'H.264 (older devices)', why: 'For older computers and conference systems. A browser without it keeps sending VP8.' },
        vp9: { name: 'VP9 (sharper)', why: 'Sharper at the same speed of network. More work for the computers.' }, av1: { name: 'AV1 (least data)', why: 'For the slowest networks. Only newer computers can keep up.' },
      },
      tier: { voice: 'Voice only', sd: 'SD', hd: 'HD', super_hd: 'Super HD', '2k': '2K', '4k': '4K' },
      panel: { files: 'Files', slide: 'Slide', people: 'People ({n})', report: 'Report', no_files: 'No files have been uploaded yet', open: 'Show to everybody', opened: 'On show', converting: 'Converting…', failed: 'Cannot be opened', bot: 'Recorder', device: 'Device' },
      ended: {
        left: 'You have left the room', removed: '{name}, the host, removed you from the room', refused: 'The host does not let you in now', locked: 'The room is locked: nobody can enter now', replaced: 'You entered this room in another window', closed: 'The room was closed', full: 'The room is full', forbidden: 'You may not enter this room', not_found: 'There is no such room, or it was closed', unauthorized: 'Your session has ended', sdp: 'Browser and server cannot agree on a connection', failed: 'Entering the room did not work',
        again: 'Enter again', request: 'Open the request', home: 'Back to the list',
      },
    },
  },
}
