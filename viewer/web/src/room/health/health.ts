/* Looks after one's own connection: reads getStats every second and a half and keeps the reasons of why.ts. */
import { reactive } from 'vue'
import type { RoomSession } from '../call/session'
import { Steady, TOLD, lineReason, ownReasons, together, type Reading, type Reason } from './why'

const EVERY_MS = 1500
const LARGER_MS = 6000

type Stats = Record<string, unknown> & { type: string; id: string }

const number = (value: unknown) => (typeof value === 'number' ? value : 0)

function pathOf(stats: Map<string, Stats>): Reading['path'] {
  const transport = [...stats.values()].find((s) => s.type === 'transport' && s.selectedCandidatePairId)
  const pair = transport
    ? stats.get(String(transport.selectedCandidatePairId))
    : [...stats.values()].find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded')
  const local = pair && stats.get(String(pair.localCandidateId))
  if (!local) return null
  if (local.candidateType === 'relay') return 'relay'
  return local.protocol === 'tcp' ? 'tcp' : 'udp'
}

/** The camera's layers: what is sent against what is switched on. */
function cameraOf(stats: Map<string, Stats>, sender: RTCRtpSender): Pick<Reading, 'limited' | 'sent' | 'meant'> {
  const layers = [...stats.values()].filter((s) => s.type === 'outbound-rtp' && s.kind === 'video')
  const height = sender.track?.getSettings().height ?? 0
  const active = sender.getParameters().encodings.filter((e) => e.active !== false)
  const meant = active.reduce((most, e) => Math.max(most, height / (e.scaleResolutionDownBy ?? 1)), 0)
  const sent = layers
    .filter((l) => number(l.framesPerSecond) > 0)
    .reduce((most, l) => Math.max(most, number(l.frameHeight)), 0)
  const reasons = layers.map((l) => l.qualityLimitationReason).filter((r) => typeof r === 'string')
  const limited =
    reasons.length === 0 ? null : ((['cpu', 'bandwidth', 'other'] as const).find((r) => reasons.includes(r)) ?? 'none')
  return { limited, sent, meant }
}

export class Health {
  readonly state = reactive({
    own: [] as Reason[],
    sentHeight: 0,
    line: null as Reason | null,
    dismissed: new Set<Reason>(),
  })
  private readonly steady = new Steady()
  private told = ''
  private largerSince = 0
  private readonly timer: ReturnType<typeof setInterval>

  constructor(private readonly session: RoomSession) {
    this.timer = setInterval(() => void this.look(), EVERY_MS)
  }

  /** All that is known about somebody, oneself included. */
  reasons(participant: string): Reason[] {
    const { me, quality } = this.session.state
    return together(participant === me ? this.state.own : [], quality[participant]?.why ?? [])
  }

  /** The line goes, and does not come back before the reason has gone. */
  dismiss(): void {
    if (this.state.line) this.state.dismissed.add(this.state.line)
    this.state.line = null
  }

  close(): void {
    clearInterval(this.timer)
  }

  private async look(): Promise<void> {
    const { state } = this.session
    if (state.phase !== 'live') return
    const reading = await this.read().catch(() => null)
    if (!reading) return
    const own = this.steady.update(ownReasons(reading), performance.now())
    this.state.own = own
    this.tell(own)
    this.noteHeight(reading.sent, performance.now())
    const all = this.reasons(state.me)
    for (const reason of this.state.dismissed) if (!all.includes(reason)) this.state.dismissed.delete(reason)
    this.state.line = lineReason(all, state.quality[state.me]?.mark ?? null, this.state.dismissed)
  }

  /** What the words name must not flicker with a layer that comes and goes: smaller at once, larger when it stays. */
  private noteHeight(sent: number, now: number): void {
    if (!sent) return
    const larger = this.state.sentHeight > 0 && sent > this.state.sentHeight
    if (!larger) this.largerSince = 0
    else this.largerSince ||= now
    if (!larger || now - this.largerSince >= LARGER_MS) this.state.sentHeight = sent
  }

  /** The others and the administrator see it too. A new participant begins without. */
  private tell(own: readonly Reason[]): void {
    const why = own.filter((reason) => TOLD.includes(reason))
    const { me } = this.session.state
    const key = `${me} ${why.join()}`
    const nothingYet = why.length === 0 && !this.told.startsWith(`${me} `)
    if (key === this.told || nothingYet) return
    this.told = key
    this.session.rpc.notify('room.health', { why })
  }

  private async read(): Promise<Reading> {
    const { peer, local, state } = this.session
    const pc = peer.value.pc
    const camera = peer.value.sender('camera')?.sender
    const sending = camera?.track ? camera : null
    const list = new Map<string, Stats>()
    const report = await (sending ?? peer.value.sender('mic')?.sender ?? pc).getStats()
    report.forEach((one: Stats) => list.set(one.id, one))
    const mic = local.tracks.mic
    return {
      ...(sending ? cameraOf(list, sending) : { limited: null, sent: 0, meant: 0 }),
      path: pathOf(list),
      micMuted: state.micPublished && local.state.micOn && (mic?.muted ?? true),
    }
  }
}
