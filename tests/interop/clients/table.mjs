// Which clients are tried, and what is expected of each. A new client is a line of each table and a program that is called as README.md says.

/** How a client is started in this folder; whether it takes and gives pictures, or carries packets that were encoded for it. `away`: its ICE does not go to 127.0.0.1 by UDP; `comesBack`: it is killed in every check. */
export const clients = {
  aiortc: { run: ['/usr/bin/python3', 'aiortc_client.py'], media: 'pictures' },
  gstreamer: { run: ['/usr/bin/python3', 'gstreamer.py'], media: 'pictures', away: true },
  libdatachannel: { run: [process.execPath, 'libdatachannel.mjs'], media: 'packets', comesBack: true },
  libwebrtc: { run: [process.execPath, 'libwebrtc.mjs'], media: 'pictures', comesBack: true },
  pion: { run: ['../../../build/clients/pion'], media: 'packets' },
}

/**
 * Of the pictures that were drawn, the share that is seen; after a kill, the seconds from being connected anew to the first picture. "-": it cannot, docs/clients.md
 * says why. Who publishes is seen by everybody who views that codec; what is expected of a pair is the lesser of the two.
 */
export const expected = `
client         | codec | publish | publish at 5 % loss | publishes again within | view | view at 5 % loss | views again within
aiortc         | vp8   | 95 %    | 90 %                | 25 s                   | 95 % | -                | 25 s
gstreamer      | vp8   | 95 %    | 90 %                | 10 s                   | 95 % | 90 %             | 10 s
libdatachannel | vp8   | 95 %    | 90 %                | 10 s                   | 30 % | -                | 10 s
libwebrtc      | vp8   | 95 %    | 90 %                | 10 s                   | 95 % | 90 %             | 10 s
pion           | vp8   | 95 %    | 90 %                | 10 s                   | 95 % | 40 %             | 10 s
aiortc         | h264  | 95 %    | 90 %                | 25 s                   | 95 % | -                | 25 s
gstreamer      | h264  | 95 %    | 90 %                | 10 s                   | 95 % | 90 %             | 10 s
libdatachannel | h264  | 95 %    | 90 %                | 10 s                   | 30 % | -                | 10 s
pion           | h264  | 95 %    | 90 %                | 10 s                   | 95 % | 40 %             | 10 s
libwebrtc      | vp9   | 95 %    | 90 %                | 10 s                   | 95 % | 90 %             | 10 s
pion           | vp9   | 95 %    | 90 %                | 10 s                   | 95 % | 40 %             | 10 s
`

/** The table's lines: {client, codec, …}, numbers as numbers, null where it cannot. */
export function rows() {
  const [names, ...lines] = expected
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const value = (cell) => (cell === '-' ? null : /^\d/.test(cell) ? parseFloat(cell) : cell)
  return lines.map((cells) => Object.fromEntries(names.map((name, i) => [name, value(cells[i])])))
}
