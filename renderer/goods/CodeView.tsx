/** A one-time code or ticket in plain sight, and in a QR code of its own. */
import type { ReactElement } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { ContentText } from '../parts/ContentText.tsx'
import { useWords } from '../parts/engine-context.ts'
import { QrCode } from '../parts/QrCode.tsx'
import { shownCode } from './shown-code.ts'

export function CodeView({ code, item }: { code: string; item: CatalogueItem }): ReactElement {
  const { words } = useWords()
  const ticket = item.kind === 'ticket'
  const shown = shownCode(code)
  return (
    <div className={ticket ? 'code-view ticket-view' : 'code-view'} data-ready="true">
      <ContentText as="p" className="kind" texts={item.title} />
      <h1>{ticket ? words.goods.yourTicket : words.goods.yourCode}</h1>
      {ticket && <QrCode text={code} label={words.goods.scanTicket} />}
      {/* Nobody else is to hear it unasked: it is spoken when it is reached. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: so that it can be reached by keypad. */}
      <p className="code" dir="ltr" data-code={code} tabIndex={0} style={{ '--characters': shown.length }}>
        {shown}
      </p>
      {!ticket && <QrCode text={code} label={words.goods.scanCode} />}
      <p className="code-once">{ticket ? words.goods.onceTicket : words.goods.once}</p>
    </div>
  )
}
