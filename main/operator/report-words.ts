/** What an operator's pages say on paper, and on the screen where there is no printer. */
import type { PaperLanguage } from '../receipt-words.ts'

export interface ReportWords {
  readonly dayClose: (no: number) => string
  readonly from: (moment: string) => string
  readonly fromTheFirst: string
  readonly until: (moment: string) => string
  readonly by: (operator: string) => string
  readonly sales: (count: number) => string
  readonly reversed: (count: number) => string
  readonly refunds: (count: number) => string
  readonly net: string
  readonly cash: (count: number) => string
  readonly otherLoads: (count: number) => string
  readonly unsynced: (count: number) => string
  readonly allSales: string
  readonly test: string
  readonly testLines: readonly string[]
  readonly price: string
  readonly tax: string
}

const words: Readonly<Record<PaperLanguage, ReportWords>> = {
  en: {
    dayClose: (no) => `Day close no. ${no}`,
    from: (moment) => `From ${moment}`,
    fromTheFirst: 'From the first sale',
    until: (moment) => `Until ${moment}`,
    by: (operator) => `Closed by ${operator}`,
    sales: (count) => `Sales, ${count}`,
    reversed: (count) => `Reversed on the spot, ${count}`,
    refunds: (count) => `Refunds asked for, ${count}`,
    net: 'Sales less returns',
    cash: (count) => `Cash taken for loads, ${count}`,
    otherLoads: (count) => `Loads without cash, ${count}`,
    unsynced: (count) => `Not sent yet, ${count}`,
    allSales: 'All sales so far',
    test: 'TEST',
    testLines: ['This is no sale.', 'Nothing was charged, nothing was booked.'],
    price: 'Price',
    tax: 'Tax included',
  },
  de: {
    dayClose: (no) => `Tagesabschluss Nr. ${no}`,
    from: (moment) => `Von ${moment}`,
    fromTheFirst: 'Ab dem ersten Verkauf',
    until: (moment) => `Bis ${moment}`,
    by: (operator) => `Abgeschlossen von ${operator}`,
    sales: (count) => `Verkäufe, ${count}`,
    reversed: (count) => `Sofort storniert, ${count}`,
    refunds: (count) => `Erstattungen verlangt, ${count}`,
    net: 'Verkäufe abzüglich Rückgaben',
    cash: (count) => `Bargeld für Aufladungen, ${count}`,
    otherLoads: (count) => `Aufladungen ohne Bargeld, ${count}`,
    unsynced: (count) => `Noch nicht gesendet, ${count}`,
    allSales: 'Alle Verkäufe bisher',
    test: 'TEST',
    testLines: ['Dies ist kein Verkauf.', 'Nichts wurde berechnet, nichts gebucht.'],
    price: 'Preis',
    tax: 'Enthaltene Steuer',
  },
  es: {
    dayClose: (no) => `Cierre del día n.º ${no}`,
    from: (moment) => `Desde ${moment}`,
    fromTheFirst: 'Desde la primera venta',
    until: (moment) => `Hasta ${moment}`,
    by: (operator) => `Cerrado por ${operator}`,
    sales: (count) => `Ventas, ${count}`,
    reversed: (count) => `Anuladas al momento, ${count}`,
    refunds: (count) => `Reembolsos pedidos, ${count}`,
    net: 'Ventas menos devoluciones',
    cash: (count) => `Efectivo por recargas, ${count}`,
    otherLoads: (count) => `Recargas sin efectivo, ${count}`,
    unsynced: (count) => `Aún sin enviar, ${count}`,
    allSales: 'Todas las ventas hasta ahora',
    test: 'PRUEBA',
    testLines: ['Esto no es una venta.', 'No se ha cobrado ni anotado nada.'],
    price: 'Precio',
    tax: 'Impuesto incluido',
  },
  ar: {
    dayClose: (no) => `إقفال اليوم رقم ${no}`,
    from: (moment) => `من ${moment}`,
    fromTheFirst: 'منذ أول عملية بيع',
    until: (moment) => `إلى ${moment}`,
    by: (operator) => `أقفله ${operator}`,
    sales: (count) => `المبيعات، ${count}`,
    reversed: (count) => `أُلغيت فورًا، ${count}`,
    refunds: (count) => `طلبات الاسترداد، ${count}`,
    net: 'المبيعات بعد خصم المرتجعات',
    cash: (count) => `نقد مقابل الشحن، ${count}`,
    otherLoads: (count) => `شحن بلا نقد، ${count}`,
    unsynced: (count) => `لم يُرسل بعد، ${count}`,
    allSales: 'كل المبيعات حتى الآن',
    test: 'اختبار',
    testLines: ['هذه ليست عملية بيع.', 'لم يُخصم شيء ولم يُسجَّل شيء.'],
    price: 'السعر',
    tax: 'الضريبة المشمولة',
  },
  'zh-Hant': {
    dayClose: (no) => `日結第 ${no} 號`,
    from: (moment) => `自 ${moment}`,
    fromTheFirst: '自第一筆銷售起',
    until: (moment) => `至 ${moment}`,
    by: (operator) => `結帳人：${operator}`,
    sales: (count) => `銷售，${count} 筆`,
    reversed: (count) => `當場取消，${count} 筆`,
    refunds: (count) => `申請退款，${count} 筆`,
    net: '銷售扣除退還',
    cash: (count) => `儲值收取現金，${count} 筆`,
    otherLoads: (count) => `非現金儲值，${count} 筆`,
    unsynced: (count) => `尚未傳送，${count} 筆`,
    allSales: '迄今全部銷售',
    test: '測試',
    testLines: ['這不是一筆銷售。', '沒有扣款，也沒有入帳。'],
    price: '價格',
    tax: '內含稅額',
  },
}

export const reportWordsOf = (language: PaperLanguage): ReportWords => words[language]
