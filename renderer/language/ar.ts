/**
 * Arabic, Modern Standard. Its locale is ar, whose calendar is the Gregorian one of the receipts, and its digits are
 * deliberately 0 to 9 (nu-latn): cards, codes, tickets, receipts and keypads show the same ones, so that what stands on
 * the screen can be compared with them; the Maghreb uses no others, and bank terminals in the East show them as well.
 */
import { isolated, leftToRight } from './bidi.ts'
import { countedBy } from './counts.ts'
import type { Dictionary } from './en.ts'

const locale = 'ar-u-nu-latn'
const counted = countedBy(locale)

const askAtTheDesk = 'استخدم بطاقة أخرى، أو اسأل في مكتب الخدمة.'

export const ar: Dictionary = {
  autonym: 'العربية',
  locale,
  leadingArticle: /^ال(?=\p{L}{2})/u,

  attract: {
    headline: 'شيء جميل بثمن بسيط',
    start: 'المس الشاشة للبدء',
    how: 'اختر، قرّب بطاقتك، وخذه معك.',
    from: (amount) => `ابتداءً من ${isolated(amount)}.`,
  },
  bar: {
    back: 'رجوع',
    done: 'تم',
    leave: 'مغادرة',
    cancel: 'إلغاء',
    contrast: 'التباين',
    largeType: 'خط أكبر',
    startOver: 'من البداية',
    language: 'اللغة',
    typeSign: 'ع',
  },
  offline: 'دون اتصال: الشراء ما زال ممكنًا',
  failed: 'لم ينجح ذلك. حاول مرة أخرى.',
  idle: {
    question: 'هل ما زلت هنا؟',
    stay: 'نعم، متابعة',
    left: (seconds) =>
      counted(seconds, {
        one: () => 'العودة إلى البداية بعد ثانية واحدة',
        two: () => 'العودة إلى البداية بعد ثانيتين',
        few: (n) => `العودة إلى البداية بعد ${n} ثوانٍ`,
        other: (n) => `العودة إلى البداية بعد ${n} ثانية`,
      }),
  },
  catalogue: {
    headline: 'ماذا تختار اليوم؟',
    soldOut: 'نفدت الكمية',
    left: (count) =>
      counted(count, { one: () => 'بقي واحد فقط', two: () => 'بقي اثنان فقط', other: (n) => `بقي ${n} فقط` }),
  },
  kind: {
    document: { name: 'للقراءة', how: 'يُفتح هنا فورًا، ويمكنك أخذه معك على هاتفك.' },
    media: { name: 'للمشاهدة والاستماع', how: 'يُفتح هنا فورًا، ويمكنك أخذه معك على هاتفك.' },
    code: { name: 'رمز', how: 'يظهر هنا فورًا. يصلح مرة واحدة، وهو لك وحدك.' },
    ticket: { name: 'تذكرة', how: 'تظهر هنا فورًا. صالحة لدخول واحد.' },
  },
  item: {
    buy: (amount) => `شراء مقابل ${isolated(amount)}`,
  },
  pay: {
    headline: 'قرّب بطاقتك من القارئ',
    where: {
      below: 'القارئ في الأسفل',
      above: 'القارئ في الأعلى',
      left: 'القارئ على اليسار',
      right: 'القارئ على اليمين',
    },
    twoCards: 'بطاقة واحدة فقط من فضلك',
    twoCardsTodo: 'أبعد إحدى البطاقتين عن القارئ.',
    working: 'أبقِ البطاقة ثابتة',
    workingHint: 'لحظة واحدة فقط.',
    seconds: (count) =>
      counted(count, {
        one: () => 'ثانية واحدة',
        two: () => 'ثانيتان',
        few: (n) => `${n} ثوانٍ`,
        other: (n) => `${n} ثانية`,
      }),
  },
  pin: {
    headline: 'أدخل الرقم السري لبطاقتك',
    tap: 'قرّب البطاقة نفسها من القارئ',
    wrong: 'الرقم السري غير صحيح. لم يُخصم منك أي مبلغ.',
    tries: (count) =>
      counted(count, {
        one: () => 'بقيت محاولة واحدة',
        two: () => 'بقيت محاولتان',
        few: (n) => `بقيت ${n} محاولات`,
        other: (n) => `بقيت ${n} محاولة`,
      }),
    entered: (count) =>
      counted(count, {
        zero: () => 'لم يُدخل أي رقم',
        one: () => 'أُدخل رقم واحد',
        two: () => 'أُدخل رقمان',
        few: (n) => `أُدخلت ${n} أرقام`,
        other: (n) => `أُدخل ${n} رقمًا`,
      }),
    back: 'حذف الأخير',
    enter: 'تأكيد',
  },
  topUp: {
    open: 'شحن الرصيد',
    headline: 'اكتب رمز قسيمتك',
    hint: 'ستة عشر حرفًا ورقمًا',
    entered: 'الرمز حتى الآن',
    next: 'متابعة',
    asking: 'لحظة واحدة',
    worth: 'قيمة قسيمتك',
    done: (amount) => `تم شحن ${isolated(amount)}`,
    failed: 'لم يُشحن أي مبلغ',
    problem: {
      unknownVoucher: 'لا توجد قسيمة بهذا الرمز. تحقق منه حرفًا حرفًا.',
      usedVoucher: 'استُخدمت هذه القسيمة من قبل.',
      expiredVoucher: 'انتهت صلاحية هذه القسيمة.',
      offline: 'لا يمكن الاتصال بالمصرف الآن. تبقى قسيمتك صالحة.',
      notAPurse: 'لا يمكن شحن هذه البطاقة هنا. استخدم بطاقة Farthing.',
      cardSuspect: 'تعذّر التحقق من هذه البطاقة. تبقى قسيمتك صالحة.',
      cardBlocked: 'هذه البطاقة موقوفة. تبقى قسيمتك صالحة.',
      wrongCurrency: 'عملة هذه البطاقة مختلفة. تبقى قسيمتك صالحة.',
      overBalanceMax: 'لا تتسع بطاقتك لهذا المبلغ. تبقى قسيمتك صالحة.',
      cardLost: 'أُبعدت البطاقة قبل الأوان. لم يضِع شيء: قرّبها مرة أخرى.',
      refused: 'رفض المصرف العملية. اسأل في مكتب الخدمة من فضلك.',
      unanswered: 'لم يُجب البنك. إن لم تعمل القسيمة لاحقًا فاسأل عند المكتب.',
      inDoubt: 'أُبعدت البطاقة قبل الأوان. قرّبها هنا مرة أخرى لإتمام الشحن.',
    },
  },
  approved: {
    paid: (amount) => `دفعت ${isolated(amount)}`,
    recovered: 'اكتملت دفعتك السابقة. لم يُخصم أي مبلغ مرتين.',
    balance: 'الباقي في بطاقتك',
    takeCard: 'لا تنسَ بطاقتك.',
    show: { document: 'فتح', media: 'فتح', code: 'عرض الرمز', ticket: 'عرض التذكرة' },
  },
  goods: {
    takeAlong: 'خذه معك',
    scan: 'امسح الرمز بهاتفك',
    scanCode: 'امسح لتأخذ الرمز معك',
    until: (day) => `حتى ${isolated(day)}`,
    offlineClaim: 'يعمل حتى إن كان هذا الكشك دون اتصال.',
    yourCode: 'رمزك',
    yourTicket: 'تذكرتك',
    once: 'يصلح مرة واحدة، وهو لك وحدك.',
    onceTicket: 'تصلح مرة واحدة، وهي لك وحدك.',
    loading: 'جارٍ الفتح…',
    unreadable: 'لا يمكن عرض هذا هنا',
    unreadableTodo: 'هو لك على أي حال. خذه معك على هاتفك.',
    elsewhere: 'ينتظرك على هاتفك',
    elsewhereTodo: 'امسح الرمز لفتحه هناك.',
    owed: 'هو لك، لكنه ليس هنا',
    owedTodo: 'قرّب بطاقتك هنا لاحقًا، أو اسأل في مكتب الخدمة.',
    closer: 'تكبير',
    further: 'تصغير',
    page: (page, pages) => `صفحة ${page} من ${pages}`,
    finish: 'انتهيت',
  },
  declined: {
    notCharged: 'لم يُخصم منك أي مبلغ',
    refusal: {
      outOfService: { what: 'غير متاح للبيع الآن', todo: 'يُرجى استخدام كشك آخر.' },
      outOfStock: { what: 'نفدت الكمية', todo: 'اختر شيئًا آخر من فضلك.' },
      notAPurse: {
        what: 'لا يمكن الدفع بهذه البطاقة هنا',
        todo: 'استخدم بطاقة Farthing. البطاقات المصرفية والهواتف لا تعمل هنا.',
      },
      cardSuspect: { what: 'تعذّر التحقق من هذه البطاقة', todo: 'حاول مرة أخرى، أو استخدم بطاقة أخرى.' },
      cardBlocked: { what: 'هذه البطاقة موقوفة', todo: askAtTheDesk },
      hotlisted: { what: 'أُبلغ عن فقدان هذه البطاقة', todo: askAtTheDesk },
      cardExpired: { what: 'انتهت صلاحية هذه البطاقة', todo: 'استخدم بطاقة أخرى، أو اطلب بطاقة جديدة.' },
      wrongCurrency: { what: 'عملة هذه البطاقة مختلفة', todo: 'استخدم بطاقة أخرى.' },
      limit: { what: 'المبلغ يتجاوز حدّ هذه البطاقة', todo: 'اختر شيئًا أرخص، أو حاول لاحقًا.' },
      balanceTooLow: {
        what: 'رصيد هذه البطاقة لا يكفي',
        todo: 'اشحن بطاقتك في مكتب الخدمة، أو استخدم بطاقة أخرى.',
      },
      pinNeeded: {
        what: 'هذه البطاقة تطلب رقمها السري',
        todo: 'لا توجد لوحة أرقام في هذا الكشك. استخدم بطاقة أخرى من فضلك.',
      },
      pinWrong: { what: 'الرقم السري غير صحيح', todo: 'حاول مرة أخرى من فضلك.' },
      pinBlocked: { what: 'الرقم السري موقوف', todo: askAtTheDesk },
      cancelled: { what: 'أُلغيت العملية', todo: 'يمكنك البدء من جديد متى شئت.' },
      timeout: { what: 'انتهى الوقت دون بطاقة', todo: 'ابدأ من جديد عندما تكون بطاقتك جاهزة.' },
    },
    missing: (amount) => `ينقصك ${isolated(amount)}`,
    balance: 'في بطاقتك',
    price: 'السعر',
    alternatives: 'يكفي رصيدك لشراء',
    again: 'حاول مجددًا',
    other: 'اختيار شيء آخر',
  },
  recover: {
    waiting: 'قرّب البطاقة نفسها مرة أخرى',
    waitingWhy: 'أُبعدت البطاقة قبل الأوان. قرّبها مرة أخرى لإتمام الدفع. لن تدفع مرتين.',
    wrongCard: 'كانت هذه بطاقة أخرى',
    wrongCardWhy: 'لم يُخصم منها شيء. قرّب البطاقة الأولى من القارئ من فضلك.',
    working: 'أبقِ البطاقة ثابتة',
    leaveHint: 'إن غادرت، تُسوّى العملية عند تقريب بطاقتك في المرة القادمة.',
    unfinished: (amount) => `لم يكتمل دفع ${isolated(amount)} بعد`,
  },
  balance: {
    left: 'الرصيد',
    ending: (digits) => `بطاقة تنتهي بالأرقام ${leftToRight(digits)}`,
    validUntil: (day) => `صالحة حتى ${isolated(day)}`,
    blocked: 'هذه البطاقة موقوفة. اسأل في مكتب الخدمة من فضلك.',
    movements: 'آخر الحركات',
    none: 'لم يُشترَ شيء بهذه البطاقة بعد.',
    collect: 'استلام مرة أخرى',
    kind: { payment: 'شراء', load: 'شحن رصيد', reversal: 'مبلغ مُعاد' },
    shop: 'تسوّق الآن',
  },
  outOfService: {
    reason: {
      starting: { what: 'جاهز بعد لحظات', why: 'هذا الكشك قيد التشغيل.' },
      notEnrolled: { what: 'لم يُفتح بعد', why: 'لم يُجهَّز هذا الكشك بعد.' },
      noReader: { what: 'مغلق مؤقتًا', why: 'قارئ البطاقات لا يستجيب.' },
      storage: { what: 'مغلق مؤقتًا', why: 'لا يستطيع هذا الكشك حفظ سجلاته بأمان.' },
      emptyCatalogue: { what: 'لا شيء للبيع بعد', why: 'رفوف هذا الكشك فارغة.' },
      stale: { what: 'مغلق مؤقتًا', why: 'بقي هذا الكشك دون اتصال مدة طويلة، فلا يمكنه التحقق من البطاقات.' },
      stopped: { what: 'مغلق مؤقتًا', why: 'أغلق المشغّل هذا الكشك.' },
    },
    notCharged: 'لن يُخصم هنا من أي بطاقة.',
  },
  broken: { what: 'لحظة من فضلك', why: 'يُعاد تشغيل هذه الشاشة. بطاقتك ومشترياتك في أمان.' },
}
