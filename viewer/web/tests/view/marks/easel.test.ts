import { beforeEach, expect, test, vi } from 'vitest'
import { Book } from '@/view/marks/book'
import { Easel } from '@/view/marks/easel'
import { measureOf, type Point } from '@/view/marks/shape'

vi.mock('@/api/client', () => ({
  api: { post: () => new Promise(() => undefined), put: () => new Promise(() => undefined), fresh: async () => null },
}))

/* Turned by 90° and ten times smaller on screen: what is upright there is not so in the picture. */
const toScreen = ({ x, y }: Point) => ({ x: -y / 10, y: x / 10 })
const toSlide = ({ x, y }: Point) => ({ x: y * 10, y: -x * 10 })
let book: Book
let easel: Easel
beforeEach(() => {
  book = new Book('file', { id: 'me', name: 'Me' })
  book.state.mayWrite = true
  easel = new Easel(
    book,
    { toScreen, toSlide, mpp: () => 0.5, plane: () => 2, visible: () => book.state.marks },
    (n) => `class ${n}`,
  )
})
const press = (x: number, y: number) => {
  easel.down({ x, y }, true, 6)
  easel.up({ x, y }, true, 6)
}
const drag = (...path: [number, number][]) => {
  const [from, ...rest] = path.map(([x, y]) => ({ x, y }))
  const taken = easel.down(from, true, 6)
  for (const to of rest) easel.move(to)
  easel.up(rest[rest.length - 1], false, 6)
  return taken
}
const key = (name: string, more = {}) =>
  easel.key({ key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more } as KeyboardEvent)

test('two presses or one drag measure a distance', () => {
  easel.choose('distance')
  press(0, 0)
  press(30, 40)
  easel.choose('distance')
  expect(drag([0, 0], [10, 10], [30, 40])).toBe(true)
  for (const mark of book.state.marks) expect(measureOf(mark).length).toBe(500)
  expect(book.state.marks.length).toBe(2)
  expect(easel.state.tool).toBeNull()
})

test('a finger places points; its drag is the picture’s', () => {
  easel.choose('distance')
  expect(easel.down({ x: 0, y: 0 }, false, 16)).toBe(false)
  easel.up({ x: 90, y: 0 }, false, 16)
  expect(book.state.marks.length).toBe(0)
  easel.down({ x: 0, y: 0 }, false, 16)
  easel.up({ x: 0, y: 0 }, true, 16)
  easel.down({ x: 30, y: 40 }, false, 16)
  easel.up({ x: 30, y: 40 }, true, 16)
  expect(book.state.marks.length).toBe(1)
})

test('a line ends with Enter or its last point again; an area at its first point; Escape drops it', () => {
  easel.choose('polyline')
  for (const x of [0, 50, 100]) press(x, 0)
  expect(key('Enter')).toBe(true)
  easel.choose('polyline')
  for (const x of [0, 50, 50]) press(x, 0)
  easel.choose('area')
  press(0, 0)
  press(50, 0)
  expect(key('Backspace')).toBe(true)
  press(60, 0)
  press(60, 60)
  press(1, 1)
  expect(book.state.marks.map(({ kind, points }) => [kind, points.length])).toEqual([
    ['polyline', 3],
    ['polyline', 2],
    ['area', 3],
  ])
  easel.choose('area')
  press(0, 0)
  expect([key('Escape'), key('Escape'), easel.state.tool]).toEqual([true, true, null])
  expect(book.state.marks.length).toBe(3)
})

test('a box stands upright on a turned screen', () => {
  easel.choose('rectangle')
  drag([0, 0], [20, 30], [40, 60])
  const corners = book.state.marks[0].points.map(toScreen).map(({ x, y }) => [x + 0, y + 0])
  expect(corners).toEqual([
    [0, 0],
    [40, 0],
    [40, 60],
    [0, 60],
  ])
})

test('nothing is made of a trembling press, or of what has no area', () => {
  easel.choose('rectangle')
  press(5, 5)
  press(5, 5)
  expect(book.state.marks.length).toBe(0)
})

test('a hand’s line becomes an area', () => {
  easel.choose('area')
  drag(
    [0, 0],
    ...Array.from({ length: 20 }, (_none, i) => [i * 5 + 5, 0] as [number, number]),
    ...Array.from({ length: 20 }, (_none, i) => [100, i * 5 + 5] as [number, number]),
  )
  expect(measureOf(book.state.marks[0]).area).toBeCloseTo(5000 * 100, -3)
  expect(book.state.marks[0].points.length).toBeLessThan(6)
})

test('one’s own is moved, by a point or whole, and undone', () => {
  easel.choose('distance')
  drag([0, 0], [50, 50], [100, 0])
  drag([0, 0], [0, 20], [0, 40])
  expect(toScreen(book.state.marks[0].points[0])).toMatchObject({ y: 40 })
  drag([50, 20], [60, 60], [50, 120])
  expect(book.state.marks[0].points.map(toScreen).map(({ y }) => y)).toEqual([140, 100])
  easel.undo()
  easel.undo()
  expect(book.state.marks[0].points.map(toScreen).map(({ y }) => y)).toEqual([0, 0])
  expect([key('z', { ctrlKey: true }), book.state.marks.length, key('z', { ctrlKey: true })]).toEqual([true, 0, false])
})

test('another’s is chosen, not changed', () => {
  book.state.marks = [
    {
      kind: 'distance',
      points: [
        { x: 0, y: 0 },
        { x: 0, y: -1000 },
      ],
      colour: '#111111',
      text: '',
      z: 0,
      key: 'k',
      author: { id: 'you', name: 'You' },
      own: false,
    },
  ]
  press(50, 2)
  expect(easel.state.selected).toBe('k')
  expect(drag([0, 0], [20, 20], [40, 40])).toBe(false)
  expect([key('Delete'), book.state.marks.length]).toEqual([false, 1])
})

test('counting: presses of one class, then of another; Delete takes the last one back', () => {
  easel.choose('count')
  for (const x of [0, 30, 60]) press(x, 0)
  key('Delete')
  easel.select('')
  press(90, 0)
  expect(book.state.marks.map(({ text, points }) => [text, points.length])).toEqual([
    ['class 1', 2],
    ['class 2', 1],
  ])
  expect(new Set(book.state.marks.map(({ colour }) => colour)).size).toBe(2)
})

test('words stand where they were put, once there are any', () => {
  easel.choose('text')
  press(10, 10)
  easel.write('  ')
  expect([book.state.marks.length, easel.state.writing]).toEqual([0, null])
  press(10, 10)
  easel.write('here')
  expect(book.state.marks[0]).toMatchObject({ kind: 'text', text: 'here' })
})
