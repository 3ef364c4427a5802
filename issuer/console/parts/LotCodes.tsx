/** The codes of a lot that was just made: shown once, since nothing else has them. */
import { Button } from './Button.tsx'

/** Keeps a text as a file of this name. */
const save = (fileName: string, text: string): void => {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = address
  link.download = fileName
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

/** In a dialog that nothing else closes. */
export function LotCodes({ lot, onSaved }: { lot: { lotNo: number; csv: string }; onSaved: () => void }) {
  return (
    <>
      <div className="dialog-text">
        <p>Lot {lot.lotNo} is made. Save its codes now: they are nowhere else, and whoever has one has its money.</p>
      </div>
      <footer className="dialog-foot">
        <Button onPress={onSaved}>I have saved them</Button>
        <Button kind="primary" onPress={() => save(`vouchers-lot-${lot.lotNo}.csv`, lot.csv)}>
          Save the codes
        </Button>
      </footer>
    </>
  )
}
