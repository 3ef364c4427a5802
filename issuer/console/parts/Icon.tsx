/** Line icons, 16 units square, of the colour of the text around them. They repeat what words say. */

const paths = {
  overview: 'M2 13.5h12M3.5 11V7.5M6.5 11V4M9.5 11V8.5M12.5 11V5.5',
  alert: 'M8 2.2 14.6 13.5H1.4zM8 6.5v3.2M8 11.6v.1',
  terminal: 'M4 1.8h8v12.4H4zM6 4h4v4H6zM6.5 11h3',
  batch: 'M2.5 4 8 1.8 13.5 4 8 6.2zM2.5 8 8 10.2 13.5 8M2.5 12 8 14.2 13.5 12',
  card: 'M1.8 3.5h12.4v9H1.8zM1.8 6.5h12.4M4 10h3',
  voucher: 'M1.8 4h12.4v2.6a1.4 1.4 0 0 0 0 2.8V12H1.8V9.4a1.4 1.4 0 0 0 0-2.8zM9.5 4v8',
  merchant: 'M2.2 6.2 3.4 2.5h9.2l1.2 3.7M2.2 6.2v7.3h11.6V6.2zM6 13.5V9.5h4v4',
  settlement: 'M2 13.8h12M3 6.5h10L8 2.2zM4.5 8.5v3.5M8 8.5v3.5M11.5 8.5v3.5',
  ledger: 'M3 1.8h10v12.4H3zM5.5 5h5M5.5 8h5M5.5 11h3',
  catalogue: 'M2.5 2.5h4.6v4.6H2.5zM8.9 2.5h4.6v4.6H8.9zM2.5 8.9h4.6v4.6H2.5zM8.9 8.9h4.6v4.6H8.9z',
  bulletin: 'M2 6.2v3.6h2.4L11 13V3L4.4 6.2zM13.2 6.4v3.2M5 10v3.4',
  users:
    'M6 7.6a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM1.5 13.5c0-2.6 2-4 4.5-4s4.5 1.4 4.5 4M10.6 2.8a2.4 2.4 0 0 1 0 4.4M12 9.8c1.6.5 2.6 1.8 2.6 3.7',
  audit: 'M8 1.8 13.5 4v4c0 3-2.2 5.2-5.5 6.2C4.7 13.2 2.5 11 2.5 8V4zM5.6 8l1.7 1.7L10.6 6.3',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14',
  menu: 'M2 4.2h12M2 8h12M2 11.8h12',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  up: 'M8 12.5V3.5M4.2 7.2 8 3.5l3.8 3.7',
  down: 'M8 3.5v9M4.2 8.8 8 12.5l3.8-3.7',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  right: 'M6 3.5 10.5 8 6 12.5',
  export: 'M8 2v7.5M4.8 6.4 8 9.5l3.2-3.1M2.5 11.5v2h11v-2',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z',
  help: 'M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.7-.8 1.3M8 11.2v.1',
  person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14c.3-3 2.4-4.5 5.5-4.5s5.2 1.5 5.5 4.5',
  check: 'M3 8.5 6.5 12 13 4.5',
  plus: 'M8 3v10M3 8h10',
  link: 'M6.5 3.5h-3v9h9v-3M9 2.5h4.5V7M13 3 7.5 8.5',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}
