//! Which events there are, and what each is called in settings.

named! {
    /// A kind of built-in event.
    EventKind,
    /// A text that names no event.
    EventKindError = "an event is one of mouse, click, trade, message, iot, order, access-log";
    /// Mouse moves along believable paths, in sessions of users, then clicks.
    Mouse = "mouse",
    /// A click: page, element, ad or product, dwell time.
    Click = "click",
    /// A trade: ticker, side, a price that walks, quantity.
    Trade = "trade",
    /// Exactly the payload of the Node.js original: a message and a date.
    Message = "message",
    /// A reading of a sensor whose values drift.
    Iot = "iot",
    /// An order of a shop, with its line items.
    Order = "order",
    /// A line of a web server's log in the combined format; no JSON.
    AccessLog = "access-log",
}
