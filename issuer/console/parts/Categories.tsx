/** The shelves on which articles stand: their titles by language, and their order. */
import { useState } from 'react'
import * as v from 'valibot'
import { type CategoriesAnswer, categoriesAnswer } from '../../console-contract/catalogue.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay } from '../api/session.ts'
import { byLanguage, type Texts, TextsField, textsOf } from './ArticleForm.tsx'
import { Button } from './Button.tsx'
import { PlainTable } from './DataTable.tsx'
import { ConfirmAction, Dialog } from './Dialog.tsx'
import { Form, TextField } from './Form.tsx'
import { Icon } from './Icon.tsx'
import { Card } from './layout.tsx'
import { Answer, EmptyState } from './states.tsx'
import { Code, Count } from './values.tsx'

const nothing = v.object({})
type Category = CategoriesAnswer['categories'][number]
const newOne = { id: '', title: { en: '' } } as const

function SetCategory({
  category,
  place,
  onDone,
}: {
  category: Pick<Category, 'id' | 'title'>
  /** Undefined: a new one, which is last. */
  place: number | undefined
  onDone: () => void
}) {
  const [id, setId] = useState(category.id)
  const [texts, setTexts] = useState<readonly Texts[]>(textsOf(category.title, {}))
  const [at, setAt] = useState(place === undefined ? '' : String(place))
  const set = useChange(nothing, '/catalogue/categories')
  const submit = async () => {
    if (at !== '' && !/^[1-9]\d{0,3}$/.test(at)) throw new Error(`"${at}" is not a place such as 1.`)
    await set.mutateAsync({ id, title: byLanguage(texts).title, ...(at === '' ? {} : { place: Number(at) }) })
    onDone()
  }
  return (
    <Form submit="Keep the category" onSubmit={submit} onCancel={onDone}>
      <TextField
        label="Id"
        hint='Such as "maps". Articles name it.'
        required
        spellCheck={false}
        readOnly={category.id !== ''}
        value={id}
        onChange={setId}
      />
      <TextsField texts={texts} onChange={setTexts} titlesOnly />
      <TextField
        label="Place"
        hint="1 is first. Left empty: where it is, and a new one last."
        inputMode="numeric"
        value={at}
        onChange={setAt}
      />
    </Form>
  )
}

function RemoveCategory({ id }: { id: string }) {
  const remove = useChange(nothing, `/catalogue/categories/${encodeURIComponent(id)}/remove`)
  return (
    <ConfirmAction
      button="Remove"
      kind="bare"
      small
      title={`Remove the category ${id}?`}
      says="Its articles stay, on no shelf."
      confirm="Remove"
      danger
      act={() => remove.mutateAsync({})}
    />
  )
}

export function Categories() {
  const may = useMay('operate')
  const found = useApi(categoriesAnswer, '/catalogue/categories', { live: ['audit'] })
  const [edited, setEdited] = useState<{
    readonly category: Pick<Category, 'id' | 'title'>
    readonly place: number | undefined
  }>()
  const make = (
    <Button small onPress={() => setEdited({ category: newOne, place: undefined })}>
      <Icon name="plus" /> Make one
    </Button>
  )
  return (
    <Answer of={found}>
      {({ categories }) => (
        <Card title="Categories" flush aside={may ? make : undefined}>
          {categories.length === 0 ? (
            <EmptyState
              title="Kiosks show all articles on one shelf"
              text="A category is a shelf with a title in each language. Articles are put on one on their own page."
            />
          ) : (
            <PlainTable
              caption="Categories, in their order"
              rows={categories}
              rowKey={({ id }) => id}
              columns={[
                { id: 'id', title: 'Category', cell: ({ id }) => <Code>{id}</Code> },
                {
                  id: 'titles',
                  title: 'Titles',
                  wide: true,
                  cell: ({ title }) =>
                    Object.entries(title)
                      .map(([language, text]) => `${text} (${language})`)
                      .join(', '),
                },
                { id: 'items', title: 'Articles', align: 'end', cell: ({ items }) => <Count of={items} /> },
                {
                  id: 'do',
                  title: 'Change',
                  cell: (category) =>
                    may ? (
                      <span className="row-of-buttons">
                        <Button
                          small
                          kind="bare"
                          onPress={() => setEdited({ category, place: categories.indexOf(category) + 1 })}
                        >
                          Change
                        </Button>
                        <RemoveCategory id={category.id} />
                      </span>
                    ) : null,
                },
              ]}
            />
          )}
          <p className="card-note">Kiosks show them after the next publication.</p>
          <Dialog
            title={edited?.category.id ? `Category ${edited.category.id}` : 'Make a category'}
            open={edited !== undefined}
            onClose={() => setEdited(undefined)}
          >
            {edited === undefined ? null : <SetCategory {...edited} onDone={() => setEdited(undefined)} />}
          </Dialog>
        </Card>
      )}
    </Answer>
  )
}
