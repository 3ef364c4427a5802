/** What stands on paper, in the languages of the kiosk. The page has its own dictionaries: main may not import them. */
import { nearestOf } from '../protocol/language.ts'

export const paperLanguages = ['en', 'de', 'es', 'ar', 'zh-Hant'] as const
export type PaperLanguage = (typeof paperLanguages)[number]

export interface PaperWords {
  /** For Intl. */
  readonly locale: string
  readonly direction: 'ltr' | 'rtl'
  readonly receipt: string
  readonly copy: (time: string) => string
  readonly number: string
  readonly date: string
  readonly kiosk: string
  readonly paid: string
  readonly taxIncluded: (rate: string) => string
  readonly card: string
  readonly balance: string
  readonly code: string
  readonly claim: string
  readonly reversed: string
  readonly owed: string
  readonly owedWithoutClaim: string
  readonly ticket: string
  readonly validUntil: (moment: string) => string
  readonly testPage: string
  readonly testReadable: string
}

const words: Readonly<Record<PaperLanguage, PaperWords>> = {
  en: {
    locale: 'en-GB',
    direction: 'ltr',
    receipt: 'Receipt',
    copy: (time) => `Copy, printed ${time}`,
    number: 'Receipt no.',
    date: 'Date',
    kiosk: 'Kiosk',
    paid: 'You paid',
    taxIncluded: (rate) => `Tax included, ${rate}`,
    card: 'Card',
    balance: 'Left on the card',
    code: 'Your code',
    claim: 'Scan with your phone to open what you bought',
    reversed: 'Reversed. You were not charged.',
    owed: 'Not handed over here. It is yours: scan with your phone to collect it.',
    owedWithoutClaim: 'Not handed over here. Keep this receipt and show it to the merchant.',
    ticket: 'Ticket',
    validUntil: (moment) => `Valid until ${moment}`,
    testPage: 'Test page',
    testReadable: 'If you can read all lines and scan the code, the printer is set up well.',
  },
  de: {
    locale: 'de-DE',
    direction: 'ltr',
    receipt: 'Beleg',
    copy: (time) => `Kopie, gedruckt ${time}`,
    number: 'Belegnummer',
    date: 'Datum',
    kiosk: 'Kiosk',
    paid: 'Bezahlt',
    taxIncluded: (rate) => `Enthaltene Steuer, ${rate}`,
    card: 'Karte',
    balance: 'Noch auf der Karte',
    code: 'Ihr Code',
    claim: 'Mit dem Telefon scannen und den Einkauf öffnen',
    reversed: 'Storniert. Ihnen wurde nichts berechnet.',
    owed: 'Hier nicht ausgegeben. Es gehört Ihnen: mit dem Telefon scannen und abholen.',
    owedWithoutClaim: 'Hier nicht ausgegeben. Beleg aufheben und dem Händler zeigen.',
    ticket: 'Eintrittskarte',
    validUntil: (moment) => `Gültig bis ${moment}`,
    testPage: 'Testseite',
    testReadable: 'Sind alle Zeilen lesbar und der Code scannbar, ist der Drucker richtig eingestellt.',
  },
  es: {
    locale: 'es-ES',
    direction: 'ltr',
    receipt: 'Recibo',
    copy: (time) => `Copia, impresa el ${time}`,
    number: 'N.º de recibo',
    date: 'Fecha',
    kiosk: 'Quiosco',
    paid: 'Ha pagado',
    taxIncluded: (rate) => `Impuesto incluido, ${rate}`,
    card: 'Tarjeta',
    balance: 'Saldo en la tarjeta',
    code: 'Su código',
    claim: 'Escanee con el teléfono para abrir su compra',
    reversed: 'Anulado. No se le ha cobrado nada.',
    owed: 'No entregado aquí. Es suyo: escanee con el teléfono para recogerlo.',
    owedWithoutClaim: 'No entregado aquí. Guarde este recibo y muéstrelo al comercio.',
    ticket: 'Entrada',
    validUntil: (moment) => `Válida hasta el ${moment}`,
    testPage: 'Página de prueba',
    testReadable: 'Si se leen todas las líneas y se escanea el código, la impresora está bien configurada.',
  },
  ar: {
    locale: 'ar',
    direction: 'rtl',
    receipt: 'إيصال',
    copy: (time) => `نسخة طُبعت في ${time}`,
    number: 'رقم الإيصال',
    date: 'التاريخ',
    kiosk: 'الكشك',
    paid: 'المبلغ المدفوع',
    taxIncluded: (rate) => `شامل الضريبة ${rate}`,
    card: 'البطاقة',
    balance: 'الرصيد المتبقي',
    code: 'رمزك',
    claim: 'امسح الرمز بهاتفك لفتح ما اشتريته',
    reversed: 'أُلغيت العملية. لم يُخصم منك شيء.',
    owed: 'لم يُسلَّم هنا. هو لك: امسح الرمز بهاتفك لاستلامه.',
    owedWithoutClaim: 'لم يُسلَّم هنا. احتفظ بهذا الإيصال وأظهره للبائع.',
    ticket: 'تذكرة',
    validUntil: (moment) => `صالحة حتى ${moment}`,
    testPage: 'صفحة اختبار',
    testReadable: 'إذا كانت كل الأسطر مقروءة والرمز قابلاً للمسح فالطابعة مضبوطة جيدًا.',
  },
  'zh-Hant': {
    locale: 'zh-TW',
    direction: 'ltr',
    receipt: '收據',
    copy: (time) => `副本，列印於 ${time}`,
    number: '收據編號',
    date: '日期',
    kiosk: '服務機',
    paid: '已付金額',
    taxIncluded: (rate) => `內含稅 ${rate}`,
    card: '卡片',
    balance: '卡片餘額',
    code: '您的代碼',
    claim: '用手機掃描即可開啟您購買的內容',
    reversed: '已取消，未向您收費。',
    owed: '未在此交付。商品屬於您：請用手機掃描領取。',
    owedWithoutClaim: '未在此交付。請保留此收據並向商家出示。',
    ticket: '票券',
    validUntil: (moment) => `有效至 ${moment}`,
    testPage: '測試頁',
    testReadable: '若每一行都清晰可讀且條碼可掃描，印表機即已設定妥當。',
  },
}

/** The paper's language for a customer's: the nearest one, else English. */
export const paperLanguageOf = (language: string): PaperLanguage => nearestOf(paperLanguages, language) ?? 'en'

export const wordsOf = (language: string): PaperWords => words[paperLanguageOf(language)]
