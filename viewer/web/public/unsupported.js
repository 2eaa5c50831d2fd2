// Browsers without modules (Internet Explorer) get one page that says what to do.
document.getElementById('app').innerHTML =
  '<div style="max-width:560px;margin:15% auto;font:16px/1.8 Microsoft YaHei,sans-serif;color:#22333b">' +
  '<h1 style="font-size:22px">请换一个浏览器</h1>' +
  '<p>当前浏览器不支持视频会诊。请使用 Chrome、Firefox、Edge，或把 360 浏览器切换到“极速模式”，再打开本页。</p>' +
  '<p>This browser cannot run video consultations. Please use Chrome, Firefox or Edge.</p></div>'
