/** How an article is shown: its shelf, picture, preview, and to whom and until when it is offered. */
import { useState } from 'react'
import * as v from 'valibot'
import { isSoldByUnit } from '../../../protocol/item.ts'
import { type ArticleDetail, categoriesAnswer } from '../../console-contract/catalogue.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import { ChangeableCard } from './ChangeableCard.tsx'
import { Form, SelectField, TextField } from './Form.tsx'
import { GoodsPreview, Size } from './Goods.tsx'
import { KeyValue } from './layout.tsx'
import { FileField, sent } from './Upload.tsx'
import { DateTime } from './values.tsx'

const nothing = v.object({})

/** Text that is empty takes a thing away. */
const orNone = <Value,>(text: string, read: (text: string) => Value): Value | null =>
  text.trim() === '' ? null : read(text.trim())

/** @throws Error with a sentence for the person */
const ageOf = (text: string): number => {
  if (!/^\d{1,2}$/.test(text)) throw new Error(`"${text}" is not an age such as 18.`)
  return Number(text)
}

const handedOver = ({ item, display }: ArticleDetail): string => {
  if (!display.printed) return 'on the screen, and by claim'
  // Said by an earlier version, which took it for any article. The next change ends it.
  return isSoldByUnit(item) ? 'as a print' : 'as a receipt, without the goods, until you change it here'
}

function ChangeDisplay({ article, onDone }: { article: ArticleDetail; onDone: () => void }) {
  const { item, display } = article
  const { timeZone } = useSession().book
  const found = useApi(categoriesAnswer, '/catalogue/categories')
  const [category, setCategory] = useState(display.category ?? '')
  const [picture, setPicture] = useState<File>()
  const [preview, setPreview] = useState<File>()
  const [age, setAge] = useState(display.ageMin === undefined ? '' : String(display.ageMin))
  const [until, setUntil] = useState<string>()
  const [handed, setHanded] = useState(display.printed && isSoldByUnit(item) ? 'print' : '')
  const change = useChange(nothing, `/catalogue/items/${encodeURIComponent(item.id)}/display`)
  const submit = async () => {
    await change.mutateAsync({
      category: orNone(category, (id) => id),
      ageMin: orNone(age, ageOf),
      picture: await sent(picture),
      preview: await sent(preview),
      ...(until === undefined ? {} : { until: orNone(until, (moment) => moment) }),
      printed: handed === 'print',
    })
    onDone()
  }
  const options = [
    ['', 'None'],
    ...(found.data?.categories ?? []).map(({ id, title }) => [id, title.en ?? Object.values(title)[0] ?? id] as const),
  ] as const
  return (
    <Form submit="Keep the change" onSubmit={submit} onCancel={onDone}>
      <SelectField label="Category" value={category} options={options} onChange={setCategory} />
      <FileField
        label="Picture"
        hint="PNG, JPEG, WebP or SVG of up to 512 KiB, best four to three. Left empty: as it is."
        accept=".png,.jpg,.jpeg,.webp,.svg"
        onChange={setPicture}
      />
      <FileField
        label="Preview"
        hint="A part to look at before buying, of up to 4 MiB. Left empty: as it is, or made of the goods."
        accept=".pdf,.epub,.md,.txt,.png,.jpg,.jpeg,.webp,.svg,.mp3,.wav,.ogg,.mp4,.webm"
        onChange={setPreview}
      />
      <TextField
        label="Age"
        hint="The customer must say that he is at least so old. Left empty: nobody is asked."
        inputMode="numeric"
        value={age}
        onChange={setAge}
      />
      <TextField
        label="Offered until"
        hint={`In ${timeZone}. ${display.soldUntil === undefined ? 'Left empty: without an end.' : 'Untouched: as it is. Emptied: without an end.'}`}
        type="datetime-local"
        value={until ?? ''}
        onChange={setUntil}
      />
      {isSoldByUnit(item) ? (
        <SelectField
          label="Handed over"
          value={handed}
          options={[
            ['', 'On the screen, and by claim'],
            ['print', 'As a print'],
          ]}
          onChange={setHanded}
        />
      ) : null}
    </Form>
  )
}

export function Shelf({ article }: { article: ArticleDetail }) {
  const may = useMay('operate')
  const { item, display } = article
  const { picture, preview, soldUntil } = display
  return (
    <ChangeableCard
      title="On the shelf"
      may={may}
      dialog={`How ${item.id} is shown`}
      form={(onDone) => <ChangeDisplay article={article} onDone={onDone} />}
    >
      {picture !== undefined && may ? (
        <GoodsPreview contentHash={picture.contentHash} mediaType={picture.mediaType} title={`Picture of ${item.id}`} />
      ) : null}
      <KeyValue
        pairs={[
          ['Category', display.category ?? 'none'],
          [
            'Picture',
            picture === undefined ? 'none: kiosks draw a cover' : <Size key="picture" bytes={picture.bytes} />,
          ],
          [
            'Preview',
            preview === undefined ? (
              'none'
            ) : (
              <span key="preview">
                {display.previewMade ? 'made of the goods' : 'given'}, <Size bytes={preview.bytes} />
              </span>
            ),
          ],
          ['Age', display.ageMin === undefined ? 'not asked' : `from ${display.ageMin}`],
          ['Offered until', soldUntil === undefined ? 'without an end' : <DateTime key="until" at={soldUntil} />],
          ['Handed over', handedOver(article)],
        ]}
      />
      {preview !== undefined && may ? (
        <GoodsPreview
          contentHash={preview.contentHash}
          mediaType={preview.mediaType}
          title={`What customers see of ${item.id}`}
        />
      ) : null}
    </ChangeableCard>
  )
}
