/** A card of what stands, with a form in a dialog for whoever may change it. */
import { type ReactNode, useState } from 'react'
import { Button } from './Button.tsx'
import { Dialog } from './Dialog.tsx'
import { Card } from './layout.tsx'

export function ChangeableCard({
  title,
  may,
  dialog,
  form,
  children,
}: {
  title: string
  /** Whether who looks at it may change it. */
  may: boolean
  /** What the dialog is called. */
  dialog: string
  form: (onDone: () => void) => ReactNode
  children: ReactNode
}) {
  const [changing, setChanging] = useState(false)
  const end = () => setChanging(false)
  return (
    <Card
      title={title}
      aside={
        may ? (
          <Button small onPress={() => setChanging(true)}>
            Change
          </Button>
        ) : undefined
      }
    >
      {children}
      <Dialog title={dialog} open={changing} onClose={end}>
        {form(end)}
      </Dialog>
    </Card>
  )
}
