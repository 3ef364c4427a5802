/** What the ticket page says, in the kiosk's languages. */

export interface Words {
  readonly language: string
  readonly locale: string
  readonly title: string
  readonly whichTickets: string
  readonly otherId: string
  readonly begin: string
  readonly change: string
  readonly nothingChosen: string
  readonly noKeys: string
  readonly keysOf: (time: string) => string
  readonly offlineReady: string
  readonly notOffline: string
  readonly alone: string
  readonly list: string
  readonly letIn: (count: string) => string
  readonly saveList: string
  readonly loadList: string
  readonly listLoaded: (count: string) => string
  readonly listWrong: string
  readonly languageLabel: string
  readonly pointCamera: string
  readonly cameraStarting: string
  readonly cameraAgain: string
  readonly cameraRefused: string
  readonly cameraMissing: string
  readonly cameraInsecure: string
  readonly typeCode: string
  readonly check: string
  readonly next: string
  readonly yes: string
  readonly no: string
  readonly ticketNumber: (number: string) => string
  readonly reasons: {
    readonly accepted: string
    readonly used: (time: string) => string
    readonly unreadable: string
    readonly unknownKey: string
    readonly forged: string
    readonly otherEvent: string
    readonly notYetValid: (time: string) => string
    readonly expired: (time: string) => string
    readonly listBroken: string
  }
}

const en: Words = {
  language: 'English',
  locale: 'en-GB',
  title: 'Check tickets',
  whichTickets: 'Which tickets are let in here?',
  otherId: 'Another article’s id',
  begin: 'Begin',
  change: 'Change',
  nothingChosen: 'Choose at least one ticket, or type its article’s id.',
  noKeys: 'The keys are not here yet. Open this page once with a network.',
  keysOf: (time) => `Keys of ${time}`,
  offlineReady: 'Works with no network on this phone.',
  notOffline: 'Needs the network: for use without one, open this page by https.',
  alone: 'Each phone knows only whom it let in itself. At two doors, split the tickets or pass the list on.',
  list: 'List of this phone',
  letIn: (count) => `Let in: ${count}`,
  saveList: 'Save the list',
  loadList: 'Add a list',
  listLoaded: (count) => `Added: ${count}`,
  listWrong: 'That is no list of used tickets.',
  languageLabel: 'Language',
  pointCamera: 'Hold the ticket’s code into the frame',
  cameraStarting: 'Allow the camera if the phone asks: it reads the codes and keeps no picture.',
  cameraAgain: 'Try the camera again',
  cameraRefused: 'The camera is not allowed. Allow it in the browser’s settings, or type the code.',
  cameraMissing: 'There is no camera. Type the code, or use a scanner.',
  cameraInsecure: 'The camera works only by https. Type the code, or use a scanner.',
  typeCode: 'Or type the ticket’s code',
  check: 'Check',
  next: 'Next ticket',
  yes: 'Let in',
  no: 'Do not let in',
  ticketNumber: (number) => `Ticket ${number}`,
  reasons: {
    accepted: 'Valid',
    used: (time) => `Used already: ${time}`,
    unreadable: 'Not a ticket, or not all of it. Scan it again.',
    unknownKey: 'Signed with a newer key. Open this page once with a network.',
    forged: 'Not genuine',
    otherEvent: 'For another event',
    notYetValid: (time) => `Not valid before ${time}`,
    expired: (time) => `Was valid until ${time}`,
    listBroken: 'This phone cannot store its list: use another phone.',
  },
}

const de: Words = {
  language: 'Deutsch',
  locale: 'de-DE',
  title: 'Karten prüfen',
  whichTickets: 'Welche Karten gelten hier?',
  otherId: 'Kennung eines anderen Artikels',
  begin: 'Anfangen',
  change: 'Ändern',
  nothingChosen: 'Wählen Sie eine Karte, oder tippen Sie die Kennung ihres Artikels.',
  noKeys: 'Die Schlüssel fehlen noch. Öffnen Sie diese Seite einmal mit Netz.',
  keysOf: (time) => `Schlüssel vom ${time}`,
  offlineReady: 'Geht auf diesem Telefon ohne Netz.',
  notOffline: 'Braucht das Netz: öffnen Sie diese Seite über https, dann geht sie auch ohne.',
  alone:
    'Jedes Telefon weiß nur, wen es selbst eingelassen hat. Bei zwei Türen die Karten aufteilen oder die Liste weitergeben.',
  list: 'Liste dieses Telefons',
  letIn: (count) => `Eingelassen: ${count}`,
  saveList: 'Liste sichern',
  loadList: 'Liste hinzufügen',
  listLoaded: (count) => `Hinzugefügt: ${count}`,
  listWrong: 'Das ist keine Liste benutzter Karten.',
  languageLabel: 'Sprache',
  pointCamera: 'Den Code der Karte in den Rahmen halten',
  cameraStarting: 'Erlauben Sie die Kamera, wenn das Telefon fragt: Sie liest die Codes und behält kein Bild.',
  cameraAgain: 'Kamera noch einmal versuchen',
  cameraRefused: 'Die Kamera ist nicht erlaubt. Erlauben Sie sie im Browser, oder tippen Sie den Code.',
  cameraMissing: 'Es gibt keine Kamera. Tippen Sie den Code, oder nehmen Sie einen Scanner.',
  cameraInsecure: 'Die Kamera geht nur über https. Tippen Sie den Code, oder nehmen Sie einen Scanner.',
  typeCode: 'Oder den Code der Karte tippen',
  check: 'Prüfen',
  next: 'Nächste Karte',
  yes: 'Einlassen',
  no: 'Nicht einlassen',
  ticketNumber: (number) => `Karte ${number}`,
  reasons: {
    accepted: 'Gültig',
    used: (time) => `Schon benutzt: ${time}`,
    unreadable: 'Keine Karte, oder nicht die ganze. Noch einmal scannen.',
    unknownKey: 'Mit einem neueren Schlüssel gemacht. Diese Seite einmal mit Netz öffnen.',
    forged: 'Nicht echt',
    otherEvent: 'Für eine andere Veranstaltung',
    notYetValid: (time) => `Gilt erst ab ${time}`,
    expired: (time) => `Galt bis ${time}`,
    listBroken: 'Dieses Telefon kann seine Liste nicht sichern: nehmen Sie ein anderes.',
  },
}

const es: Words = {
  language: 'Español',
  locale: 'es-ES',
  title: 'Comprobar entradas',
  whichTickets: '¿Qué entradas valen aquí?',
  otherId: 'Identificador de otro artículo',
  begin: 'Empezar',
  change: 'Cambiar',
  nothingChosen: 'Elija al menos una entrada o escriba el identificador de su artículo.',
  noKeys: 'Aún faltan las claves. Abra esta página una vez con red.',
  keysOf: (time) => `Claves del ${time}`,
  offlineReady: 'Funciona sin red en este teléfono.',
  notOffline: 'Necesita red: para usarla sin red, abra esta página por https.',
  alone: 'Cada teléfono solo sabe a quién dejó pasar él mismo. Con dos puertas, reparta las entradas o pase la lista.',
  list: 'Lista de este teléfono',
  letIn: (count) => `Han pasado: ${count}`,
  saveList: 'Guardar la lista',
  loadList: 'Añadir una lista',
  listLoaded: (count) => `Añadidas: ${count}`,
  listWrong: 'Eso no es una lista de entradas usadas.',
  languageLabel: 'Idioma',
  pointCamera: 'Ponga el código de la entrada en el marco',
  cameraStarting: 'Permita la cámara si el teléfono lo pide: lee los códigos y no guarda ninguna imagen.',
  cameraAgain: 'Probar la cámara otra vez',
  cameraRefused: 'La cámara no está permitida. Permítala en el navegador o escriba el código.',
  cameraMissing: 'No hay cámara. Escriba el código o use un lector.',
  cameraInsecure: 'La cámara solo funciona por https. Escriba el código o use un lector.',
  typeCode: 'O escriba el código de la entrada',
  check: 'Comprobar',
  next: 'Siguiente entrada',
  yes: 'Puede pasar',
  no: 'No puede pasar',
  ticketNumber: (number) => `Entrada ${number}`,
  reasons: {
    accepted: 'Válida',
    used: (time) => `Ya usada: ${time}`,
    unreadable: 'No es una entrada, o no está entera. Escanéela otra vez.',
    unknownKey: 'Firmada con una clave más nueva. Abra esta página una vez con red.',
    forged: 'No es auténtica',
    otherEvent: 'Para otro evento',
    notYetValid: (time) => `No vale antes del ${time}`,
    expired: (time) => `Valía hasta el ${time}`,
    listBroken: 'Este teléfono no puede guardar su lista: use otro.',
  },
}

const ar: Words = {
  language: 'العربية',
  locale: 'ar',
  title: 'فحص التذاكر',
  whichTickets: 'أي التذاكر صالحة هنا؟',
  otherId: 'معرّف سلعة أخرى',
  begin: 'ابدأ',
  change: 'تغيير',
  nothingChosen: 'اختر تذكرة واحدة على الأقل أو اكتب معرّف سلعتها.',
  noKeys: 'المفاتيح غير موجودة بعد. افتح هذه الصفحة مرة مع الاتصال بالشبكة.',
  keysOf: (time) => `مفاتيح ${time}`,
  offlineReady: 'تعمل على هذا الهاتف من دون شبكة.',
  notOffline: 'تحتاج إلى الشبكة: لاستعمالها من دونها افتح هذه الصفحة عبر https.',
  alone: 'كل هاتف يعرف فقط من أدخله هو. عند وجود بابين قسّم التذاكر أو مرّر القائمة.',
  list: 'قائمة هذا الهاتف',
  letIn: (count) => `دخل: ${count}`,
  saveList: 'حفظ القائمة',
  loadList: 'إضافة قائمة',
  listLoaded: (count) => `أضيفت: ${count}`,
  listWrong: 'هذه ليست قائمة تذاكر مستعملة.',
  languageLabel: 'اللغة',
  pointCamera: 'ضع رمز التذكرة داخل الإطار',
  cameraStarting: 'اسمح بالكاميرا إذا سألك الهاتف: تقرأ الرموز ولا تحفظ أي صورة.',
  cameraAgain: 'جرّب الكاميرا مرة أخرى',
  cameraRefused: 'الكاميرا غير مسموح بها. اسمح بها في إعدادات المتصفح أو اكتب الرمز.',
  cameraMissing: 'لا توجد كاميرا. اكتب الرمز أو استعمل قارئًا.',
  cameraInsecure: 'الكاميرا تعمل عبر https فقط. اكتب الرمز أو استعمل قارئًا.',
  typeCode: 'أو اكتب رمز التذكرة',
  check: 'افحص',
  next: 'التذكرة التالية',
  yes: 'يدخل',
  no: 'لا يدخل',
  ticketNumber: (number) => `تذكرة \u2068${number}\u2069`,
  reasons: {
    accepted: 'صالحة',
    used: (time) => `استُعملت من قبل: ${time}`,
    unreadable: 'ليست تذكرة أو ليست كاملة. امسحها مرة أخرى.',
    unknownKey: 'موقّعة بمفتاح أحدث. افتح هذه الصفحة مرة مع الاتصال بالشبكة.',
    forged: 'غير أصلية',
    otherEvent: 'لفعالية أخرى',
    notYetValid: (time) => `لا تصلح قبل ${time}`,
    expired: (time) => `كانت صالحة حتى ${time}`,
    listBroken: 'لا يستطيع هذا الهاتف حفظ قائمته: استعمل هاتفًا آخر.',
  },
}

const zhHant: Words = {
  language: '繁體中文',
  locale: 'zh-Hant',
  title: '驗票',
  whichTickets: '這裡接受哪些票？',
  otherId: '其他商品的代號',
  begin: '開始',
  change: '更改',
  nothingChosen: '請至少選一種票，或輸入商品代號。',
  noKeys: '還沒有金鑰。請先連線開啟本頁一次。',
  keysOf: (time) => `金鑰：${time}`,
  offlineReady: '這支手機可離線使用。',
  notOffline: '需要網路：若要離線使用，請以 https 開啟本頁。',
  alone: '每支手機只知道自己放行的人。兩個入口時，請分開票種或傳遞清單。',
  list: '本機清單',
  letIn: (count) => `已放行：${count}`,
  saveList: '儲存清單',
  loadList: '加入清單',
  listLoaded: (count) => `已加入：${count}`,
  listWrong: '這不是已用票清單。',
  languageLabel: '語言',
  pointCamera: '請將票上的條碼對準框內',
  cameraStarting: '手機詢問時請允許使用相機：只讀取票碼，不保存影像。',
  cameraAgain: '再試一次相機',
  cameraRefused: '未允許使用相機。請在瀏覽器設定中允許，或輸入票碼。',
  cameraMissing: '沒有相機。請輸入票碼，或使用掃描器。',
  cameraInsecure: '相機須以 https 使用。請輸入票碼，或使用掃描器。',
  typeCode: '或輸入票碼',
  check: '檢查',
  next: '下一張票',
  yes: '可入場',
  no: '不可入場',
  ticketNumber: (number) => `票號 ${number}`,
  reasons: {
    accepted: '有效',
    used: (time) => `已使用：${time}`,
    unreadable: '不是票，或不完整。請再掃一次。',
    unknownKey: '以較新的金鑰簽署。請連線開啟本頁一次。',
    forged: '不是真票',
    otherEvent: '屬於其他活動',
    notYetValid: (time) => `${time} 起才有效`,
    expired: (time) => `有效期至 ${time}`,
    listBroken: '這支手機無法儲存清單：請改用其他手機。',
  },
}

/** By BCP 47 tag. */
export const dictionaries: Readonly<Record<string, Words>> = { en, de, es, ar, 'zh-Hant': zhHant }

/** @param wanted BCP 47 tags in order of preference @returns a key of `dictionaries` */
export const languageFor = (wanted: readonly string[]): string =>
  wanted
    .map((tag) => (/^zh\b/i.test(tag) ? 'zh-Hant' : (tag.split('-')[0]?.toLowerCase() ?? '')))
    .find((tag) => tag in dictionaries) ?? 'en'
