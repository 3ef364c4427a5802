/**
 * Spanish, as in Spain and understood everywhere. es-ES rather than es: amounts and dates are to be those of the
 * euro's country, whatever CLDR holds to be the default of the whole language.
 */
import { countedBy } from './counts.ts'
import type { Dictionary } from './en.ts'

const locale = 'es-ES'
const counted = countedBy(locale)

export const es: Dictionary = {
  autonym: 'Español',
  locale,
  leadingArticle: /^(el|la|los|las|un|una|unos|unas)\s+/i,

  attract: {
    headline: 'Algo bueno por unas monedas',
    start: 'Toque para empezar',
    how: 'Elija, acerque su tarjeta y lléveselo.',
    from: (amount) => `Desde ${amount}.`,
  },
  bar: {
    back: 'Volver',
    done: 'Listo',
    leave: 'Salir',
    cancel: 'Cancelar',
    contrast: 'Contraste',
    largeType: 'Letra más grande',
    startOver: 'Al inicio',
    language: 'Idioma',
    typeSign: 'A',
  },
  offline: 'Sin conexión: puede comprar igual',
  failed: 'No ha funcionado. Inténtelo otra vez.',
  idle: {
    question: '¿Sigue ahí?',
    stay: 'Sí, continuar',
    left: (seconds) =>
      counted(seconds, {
        one: (n) => `Vuelta al inicio en ${n} segundo`,
        other: (n) => `Vuelta al inicio en ${n} segundos`,
      }),
  },
  catalogue: {
    headline: '¿Qué le apetece?',
    soldOut: 'Agotado',
    left: (count) => counted(count, { one: (n) => `Queda ${n}`, other: (n) => `Quedan ${n}` }),
  },
  kind: {
    document: { name: 'Para leer', how: 'Se abre aquí al momento. Lléveselo en el móvil.' },
    media: { name: 'Para ver y escuchar', how: 'Se abre aquí al momento. Lléveselo en el móvil.' },
    code: { name: 'Código', how: 'Aparece aquí al momento. Vale una vez, solo para usted.' },
    ticket: { name: 'Entrada', how: 'Aparece aquí al momento. Vale para un acceso.' },
  },
  item: {
    buy: (amount) => `Comprar por ${amount}`,
  },
  pay: {
    headline: 'Acerque su tarjeta al lector',
    where: {
      below: 'El lector está abajo',
      above: 'El lector está arriba',
      left: 'El lector está a la izquierda',
      right: 'El lector está a la derecha',
    },
    twoCards: 'Solo una tarjeta, por favor',
    twoCardsTodo: 'Retire una de las tarjetas del lector.',
    working: 'No mueva la tarjeta',
    workingHint: 'Solo un momento.',
    seconds: (count) => counted(count, { one: (n) => `${n} segundo`, other: (n) => `${n} segundos` }),
  },
  pin: {
    headline: 'Introduzca el PIN de su tarjeta',
    tap: 'Acerque la misma tarjeta al lector',
    wrong: 'Ese PIN no es correcto. No se le ha cobrado nada.',
    tries: (count) => counted(count, { one: () => 'Queda un intento', other: (n) => `Quedan ${n} intentos` }),
    entered: (count) =>
      counted(count, { one: (n) => `${n} cifra introducida`, other: (n) => `${n} cifras introducidas` }),
    back: 'Borrar la última',
    enter: 'Confirmar',
  },
  topUp: {
    open: 'Recargar',
    headline: 'Escriba el código de su vale',
    hint: 'Dieciséis letras y cifras',
    entered: 'El código hasta ahora',
    next: 'Seguir',
    asking: 'Un momento',
    worth: 'Su vale es de',
    done: (amount) => `${amount} recargados`,
    failed: 'No se ha recargado nada',
    problem: {
      unknownVoucher: 'Ningún vale tiene este código. Revíselo letra por letra.',
      usedVoucher: 'Este vale ya se ha usado.',
      expiredVoucher: 'Este vale ha caducado.',
      offline: 'Ahora no hay conexión con el banco. Su vale sigue siendo válido.',
      notAPurse: 'Esta tarjeta no se puede recargar aquí. Use su tarjeta Farthing.',
      cardSuspect: 'No se pudo comprobar esta tarjeta. Su vale sigue siendo válido.',
      cardBlocked: 'Esta tarjeta está bloqueada. Su vale sigue siendo válido.',
      wrongCurrency: 'Esta tarjeta tiene otra moneda. Su vale sigue siendo válido.',
      overBalanceMax: 'En su tarjeta no cabe tanto dinero. Su vale sigue siendo válido.',
      cardLost: 'La tarjeta se retiró demasiado pronto. No se ha perdido nada: acérquela otra vez.',
      refused: 'El banco lo ha rechazado. Por favor, pregunte en el mostrador.',
      unanswered: 'El banco no respondió. Si el vale falla luego, pregunte en ventanilla.',
      inDoubt: 'La tarjeta se retiró demasiado pronto. Acérquela otra vez aquí para terminar.',
    },
  },
  approved: {
    paid: (amount) => `Ha pagado ${amount}`,
    recovered: 'Su pago anterior está completo. No se ha cobrado nada dos veces.',
    balance: 'Queda en su tarjeta',
    takeCard: 'No olvide su tarjeta.',
    show: { document: 'Abrir', media: 'Abrir', code: 'Ver el código', ticket: 'Ver la entrada' },
  },
  goods: {
    takeAlong: 'Lléveselo',
    scan: 'Escanéelo con el móvil',
    scanCode: 'Escanee para llevarse el código',
    until: (day) => `Hasta el ${day}`,
    offlineClaim: 'Funciona aunque este quiosco no tenga conexión.',
    yourCode: 'Su código',
    yourTicket: 'Su entrada',
    once: 'Vale una sola vez y solo lo tiene usted.',
    onceTicket: 'Vale una sola vez y solo la tiene usted.',
    loading: 'Abriendo…',
    unreadable: 'Esto no se puede mostrar aquí',
    unreadableTodo: 'Es suyo de todos modos. Lléveselo en el móvil.',
    elsewhere: 'Le espera en su móvil',
    elsewhereTodo: 'Escanee el código para abrirlo allí.',
    owed: 'Es suyo, pero no está aquí',
    owedTodo: 'Vuelva a acercar su tarjeta más tarde o pregunte en el mostrador.',
    closer: 'Más grande',
    further: 'Más pequeño',
    page: (page, pages) => `Página ${page} de ${pages}`,
    finish: 'He terminado',
  },
  declined: {
    notCharged: 'No se le ha cobrado nada',
    refusal: {
      outOfService: { what: 'Ahora no está a la venta', todo: 'Por favor, use otro quiosco.' },
      outOfStock: { what: 'Agotado', todo: 'Por favor, elija otra cosa.' },
      notAPurse: {
        what: 'Esta tarjeta no sirve aquí',
        todo: 'Use su tarjeta Farthing. Las tarjetas bancarias y los móviles no funcionan aquí.',
      },
      cardSuspect: {
        what: 'No se pudo comprobar esta tarjeta',
        todo: 'Inténtelo otra vez o use otra tarjeta.',
      },
      cardBlocked: { what: 'Esta tarjeta está bloqueada', todo: 'Use otra tarjeta o pregunte en el mostrador.' },
      hotlisted: {
        what: 'Esta tarjeta consta como perdida',
        todo: 'Use otra tarjeta o pregunte en el mostrador.',
      },
      cardExpired: { what: 'Esta tarjeta ha caducado', todo: 'Use otra tarjeta o pida una nueva.' },
      wrongCurrency: { what: 'Esta tarjeta tiene otra moneda', todo: 'Use otra tarjeta.' },
      limit: {
        what: 'Supera el límite de esta tarjeta',
        todo: 'Elija algo más barato o inténtelo más tarde.',
      },
      balanceTooLow: {
        what: 'No hay saldo suficiente',
        todo: 'Recargue su tarjeta en el mostrador o use otra.',
      },
      pinNeeded: {
        what: 'Esta tarjeta pide su PIN',
        todo: 'Este quiosco no tiene teclado para el PIN. Por favor, use otra tarjeta.',
      },
      pinWrong: { what: 'El PIN no es correcto', todo: 'Por favor, inténtelo otra vez.' },
      pinBlocked: { what: 'El PIN está bloqueado', todo: 'Use otra tarjeta o pregunte en el mostrador.' },
      cancelled: { what: 'Cancelado', todo: 'Puede empezar de nuevo cuando quiera.' },
      timeout: { what: 'No llegó ninguna tarjeta', todo: 'Empiece de nuevo cuando tenga la tarjeta a mano.' },
    },
    missing: (amount) => `Faltan ${amount}`,
    balance: 'En su tarjeta',
    price: 'Precio',
    alternatives: 'Con su saldo puede comprar',
    again: 'Reintentar',
    other: 'Elegir otra cosa',
  },
  recover: {
    waiting: 'Acerque otra vez la misma tarjeta',
    waitingWhy:
      'La tarjeta se retiró demasiado pronto. Acérquela otra vez para completar el pago. No pagará dos veces.',
    wrongCard: 'Esa era otra tarjeta',
    wrongCardWhy: 'No se le ha cobrado nada. Por favor, acerque la primera tarjeta al lector.',
    working: 'No mueva la tarjeta',
    leaveHint: 'Si se va, su tarjeta lo resolverá la próxima vez que la acerque.',
    unfinished: (amount) => `${amount} sin completar`,
  },
  balance: {
    left: 'Saldo',
    ending: (digits) => `Tarjeta terminada en ${digits}`,
    validUntil: (day) => `Válida hasta el ${day}`,
    blocked: 'Esta tarjeta está bloqueada. Por favor, pregunte en el mostrador.',
    movements: 'Últimos movimientos',
    none: 'Aún no se ha comprado nada con esta tarjeta.',
    collect: 'Recoger otra vez',
    kind: { payment: 'Compra', load: 'Recarga', reversal: 'Devolución' },
    shop: 'Comprar algo',
  },
  outOfService: {
    reason: {
      starting: { what: 'Listo en un momento', why: 'Este quiosco se está iniciando.' },
      notEnrolled: { what: 'Aún no está abierto', why: 'Este quiosco todavía no está configurado.' },
      noReader: { what: 'Cerrado por el momento', why: 'El lector de tarjetas no responde.' },
      storage: { what: 'Cerrado por el momento', why: 'Este quiosco no puede guardar sus registros con seguridad.' },
      emptyCatalogue: { what: 'Aún no hay nada a la venta', why: 'Los estantes de este quiosco están vacíos.' },
      stale: {
        what: 'Cerrado por el momento',
        why: 'Este quiosco lleva demasiado tiempo sin conexión para comprobar tarjetas.',
      },
      stopped: { what: 'Cerrado por el momento', why: 'El operador ha cerrado este quiosco.' },
    },
    notCharged: 'Aquí no se cobrará a ninguna tarjeta.',
  },
  broken: {
    what: 'Un momento, por favor',
    why: 'Esta pantalla se está reiniciando. Su tarjeta y sus compras están a salvo.',
  },
}
