/** Opens one screen with a fixture, for looking at it: ?screen=pay&diagonal=257&language=de&contrast&large&many&offline&reader=right */
import { mount } from '../mount.tsx'
import { fakeBridge, manyItems, screens, status } from './fixtures.ts'

const wish = new URLSearchParams(window.location.search)
const name = wish.get('screen') ?? 'attract'
const screen = screens[name]
const reader = wish.get('reader')
const root = document.getElementById('root')

if (root !== null && screen !== undefined) {
  const bridge = fakeBridge({
    status: {
      ...status,
      online: !wish.has('offline'),
      diagonalMm: Number(wish.get('diagonal') ?? status.diagonalMm),
      readerPosition: reader === 'right' || reader === 'left' || reader === 'above' ? reader : 'below',
      catalogue: wish.has('many') ? manyItems : status.catalogue,
    },
    screen: screen(),
  })
  const engine = mount({ bridge, root })
  if (name === 'catalogue') engine.open({ name: 'catalogue' })
  if (name === 'item') engine.open({ name: 'item', itemId: wish.get('item') ?? 'walking-map' })
  const language = wish.get('language')
  if (language !== null) engine.setLanguage(language)
  if (wish.has('contrast')) engine.toggleContrast()
  if (wish.has('large')) engine.toggleLargeType()
  Object.assign(window, { harness: { bridge, engine } })
}
