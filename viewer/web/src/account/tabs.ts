/* Tabs of one browser share one login: each tells the others that something happened to it, and they ask the server what. */

export type Word = 'in' | 'out' | 'here'
const NAME = 'consilium.login'
const line = 'BroadcastChannel' in globalThis ? new BroadcastChannel(NAME) : null

export function tellTabs(word: Word): void {
  line?.postMessage(word)
}

export function hearTabs(hear: (word: Word) => void): void {
  line?.addEventListener('message', (event: MessageEvent<Word>) => hear(event.data))
}
