"""The contract's records, for adapters: the fields a payload has are written, all others are absent.

`wit/deps/gassync-channel/types.wit` says what they mean. Days are `datetime.date`; a record with many fields takes them
by name only.
"""

from dataclasses import dataclass, field, make_dataclass
from datetime import date
from enum import Enum, Flag, auto
from typing import Annotated, Any, Optional

U16 = Annotated[int, range(2**16)]
U32 = Annotated[int, range(2**32)]
U64 = Annotated[int, range(2**64)]
S32 = Annotated[int, range(-(2**31), 2**31)]
# A text is taken as JSON already; anything else is written as JSON.
Json = Annotated[Any, "json"]
# A dict with any values, or the contract's own form: pairs of a name and a JSON text.
Extra = Annotated[Any, "extra"]
Other = tuple[str, Json]


class Variant:
    """One of several cases: `ReservationStatus.Pending(until)`, `case Selection.ChangedSince(instant):`."""

    def __init_subclass__(cls):
        for name, payload in list(vars(cls).items()):
            if isinstance(payload, _Case):
                setattr(cls, name, payload.named(name, cls))


class _Case:
    def __init__(self, *payload):
        self.payload = payload

    def named(self, name, variant):
        optional = self.payload and type(None) in getattr(self.payload[0], "__args__", ())
        fields = [("value", hint, field(default=None)) if optional else ("value", hint) for hint in self.payload]
        made = make_dataclass(name, fields, bases=(variant,), namespace={"payload": self.payload})
        made.__qualname__ = f"{variant.__name__}.{name}"
        return made


def record(cls):
    """A record whose fields are given by name."""
    return dataclass(kw_only=True)(cls)


def absent():
    return field(default=None)


def empty():
    return field(default_factory=list)


def no_extra():
    return field(default_factory=dict)


@dataclass
class Nights:
    """Half-open: the night of `until` is not slept."""

    start: date
    until: date


@dataclass
class Money:
    """An exact decimal as text, with the digits the payload had."""

    amount: str
    currency: Optional[str] = None


class Entity(Enum):
    PROPERTY = "property"
    ROOM_TYPE = "room-type"
    RATE_PLAN = "rate-plan"
    RESERVATION = "reservation"
    GUEST = "guest"
    CALENDAR = "calendar"
    BLOCK = "block"


@record
class Address:
    street: Optional[str] = absent()
    city: Optional[str] = absent()
    state: Optional[str] = absent()
    postcode: Optional[str] = absent()
    country: Optional[str] = absent()


@record
class Property:
    id: str
    name: str
    description: Optional[str] = absent()
    address: Optional[Address] = absent()
    latitude: Optional[float] = absent()
    longitude: Optional[float] = absent()
    currency: Optional[str] = absent()
    time_zone: Optional[str] = absent()
    thumbnail: Optional[str] = absent()
    room_types: list[str] = empty()
    extra: Extra = no_extra()
    raw: Optional[Json] = absent()


@record
class RoomType:
    id: str
    property_id: str
    name: str
    description: Optional[str] = absent()
    max_occupancy: Optional[U32] = absent()
    quantity: Optional[U32] = absent()
    amenities: list[str] = empty()
    extra: Extra = no_extra()
    raw: Optional[Json] = absent()


@record
class RatePlan:
    id: str
    property_id: str
    name: str
    room_type_ids: list[str] = empty()
    meals: Optional[str] = absent()
    refundable: Optional[bool] = absent()
    currency: Optional[str] = absent()
    extra: Extra = no_extra()
    raw: Optional[Json] = absent()


@record
class GuestDetails:
    id: Optional[str] = absent()
    name: Optional[str] = absent()
    first_name: Optional[str] = absent()
    last_name: Optional[str] = absent()
    email: Optional[str] = absent()
    phone: Optional[str] = absent()
    country: Optional[str] = absent()
    language: Optional[str] = absent()
    address: Optional[Address] = absent()
    extra: Extra = no_extra()


class ReservationStatus(Variant):
    """`Other` carries the channel's own word: the host holds such a record back until a person decides."""

    Confirmed = _Case()
    Pending = _Case(Optional[str])
    Inquiry = _Case()
    Cancelled = _Case()
    Declined = _Case()
    NoShow = _Case()
    Other = _Case(str)


class Intent(Enum):
    FACT = "fact"
    REQUEST = "request"


class Completeness(Enum):
    FULL = "full"
    PARTIAL = "partial"


class PriceKind(Enum):
    STAY = "stay"
    CLEANING = "cleaning"
    FEE = "fee"
    TAX = "tax"
    DEPOSIT = "deposit"
    DISCOUNT = "discount"
    OTHER = "other"


@record
class PriceLine:
    """One line of a price. A discount is below zero."""

    kind: PriceKind
    name: str
    amount: Money


class PaymentCollectedBy(Variant):
    """Who collects the guest's payment; `Other` in the channel's own word."""

    Channel = _Case()
    Property = _Case()
    Other = _Case(str)


@record
class RoomStay:
    id: Optional[str] = absent()
    room_type_id: Optional[str] = absent()
    unit_id: Optional[str] = absent()
    rate_plan_id: Optional[str] = absent()
    stay: Optional[Nights] = absent()
    guests: Optional[U32] = absent()
    adults: Optional[U32] = absent()
    children: Optional[U32] = absent()
    infants: Optional[U32] = absent()
    total: Optional[Money] = absent()
    guest: Optional[GuestDetails] = absent()
    extra: Extra = no_extra()


@record
class Reservation:
    id: str
    status: ReservationStatus
    ota_reference: Optional[str] = absent()
    group_id: Optional[str] = absent()
    property_id: Optional[str] = absent()
    rooms: list[RoomStay] = empty()
    stay: Optional[Nights] = absent()
    source: Optional[str] = absent()
    guest: Optional[GuestDetails] = absent()
    guests: Optional[U32] = absent()
    adults: Optional[U32] = absent()
    children: Optional[U32] = absent()
    infants: Optional[U32] = absent()
    pets: Optional[U32] = absent()
    total: Optional[Money] = absent()
    price_lines: list[PriceLine] = empty()
    commission: Optional[Money] = absent()
    payout: Optional[Money] = absent()
    payment_collected_by: Optional[PaymentCollectedBy] = absent()
    booked_at: Optional[str] = absent()
    modified_at: Optional[str] = absent()
    revision: Optional[str] = absent()
    notes: Optional[str] = absent()
    intent: Intent = Intent.FACT
    completeness: Completeness = Completeness.FULL
    acknowledgement_token: Optional[str] = absent()
    extra: Extra = no_extra()
    raw: Optional[Json] = absent()


@record
class Block:
    """Nights taken out of sale by the channel's own hand; of the whole property where no room type is named."""

    stay: Nights
    id: Optional[str] = absent()
    property_id: Optional[str] = absent()
    room_type_ids: list[str] = empty()
    unit_id: Optional[str] = absent()
    units: Optional[U32] = absent()
    reason: Optional[str] = absent()
    modified_at: Optional[str] = absent()
    revision: Optional[str] = absent()
    extra: Extra = no_extra()
    raw: Optional[Json] = absent()


@record
class Price:
    amount: Money
    rate_plan_id: Optional[str] = absent()
    occupancy: Optional[U32] = absent()
    tax_included: Optional[bool] = absent()


@record
class StayRules:
    min_stay_arrival: Optional[U32] = absent()
    min_stay_through: Optional[U32] = absent()
    max_stay: Optional[U32] = absent()
    exact_stay: Optional[U32] = absent()
    closed_to_arrival: Optional[bool] = absent()
    closed_to_departure: Optional[bool] = absent()
    min_advance_days: Optional[U32] = absent()
    max_advance_days: Optional[U32] = absent()


class CalendarPart(Flag):
    AVAILABILITY = auto()
    PRICE = auto()
    RULES = auto()


@record
class CalendarNights:
    room_type_id: str
    stay: Nights
    property_id: Optional[str] = absent()
    rate_plan_id: Optional[str] = absent()
    available: Optional[bool] = absent()
    units_available: Optional[S32] = absent()
    prices: list[Price] = empty()
    rules: StayRules = field(default_factory=StayRules)
    changed: CalendarPart = CalendarPart(0)
    extra: Extra = no_extra()


@record
class Occupancy:
    adults: U32
    children: U32 = 0
    infants: U32 = 0
    pets: U32 = 0


@record
class StayQuery:
    stay: Nights
    property_id: Optional[str] = absent()
    room_type_id: Optional[str] = absent()
    rate_plan_id: Optional[str] = absent()
    occupancy: Optional[Occupancy] = absent()
    replaces: Optional[str] = absent()
    extra: Extra = no_extra()


@record
class HoldRequest:
    reference: str
    query: StayQuery
    minutes: U32


@record
class Quote:
    total: Money
    lines: list[PriceLine] = empty()
    extra: Extra = no_extra()


class Question(Variant):
    """What a channel asks us, to be answered within the route's budget."""

    Available = _Case(StayQuery)
    Quote = _Case(StayQuery)
    Hold = _Case(HoldRequest)
    Release = _Case(str)
    BookingsSince = _Case(str)
    Other = _Case(Other)


@dataclass
class Route:
    """Which of the connection's sources a change is for."""

    property_id: Optional[str] = None
    account: Optional[str] = None


@dataclass
class EntityRef:
    entity: Entity
    id: str


@dataclass
class Hint:
    """Something changed: this record, or without an id any of its kind."""

    entity: Entity
    id: Optional[str] = None


class ConnectionEvent(Variant):
    Revoked = _Case()
    Unlinked = _Case(list[str])
    Linked = _Case(list[str])
    Remapped = _Case(tuple[str, str])
    Other = _Case(Other)


@record
class Unreadable:
    """A record that could not be read: which kind, its id where that could be read, why, and its own words."""

    entity: Entity
    problem: str
    id: Optional[str] = absent()
    raw: Optional[str] = absent()


class ChangeKind(Variant):
    Property = _Case(Property)
    RatePlan = _Case(RatePlan)
    RoomType = _Case(RoomType)
    Reservation = _Case(Reservation)
    Guest = _Case(GuestDetails)
    Block = _Case(Block)
    Calendar = _Case(list[CalendarNights])
    # A deletion that carries an id and nothing else.
    Removed = _Case(EntityRef)
    # The message says only that something changed: the host fetches that record, or without an id all that has changed.
    Refetch = _Case(Hint)
    Ask = _Case(Question)
    Connection = _Case(ConnectionEvent)
    # One record of several that could not be read: the others are processed.
    Unreadable = _Case(Unreadable)
    Other = _Case(Other)


@dataclass
class FieldError:
    """`path` is a JSON pointer into the channel's payload."""

    path: str
    problem: str


@dataclass
class Change:
    """The data of a change, and the source of the connection that it is for, if the message says so."""

    data: ChangeKind
    route: Route = field(default_factory=Route)
    # What was left out of the record because it could not be read.
    notes: list[FieldError] = empty()


@dataclass
class Header:
    name: str
    value: str


@record
class HttpRequest:
    method: str
    url: str
    headers: list[Header] = empty()
    body: Optional[bytes] = absent()


@record
class HttpResponse:
    status: U16
    headers: list[Header] = empty()
    body: bytes = b""


@record
class Decoded:
    changes: list[Change]
    event_id: Optional[str] = absent()
    reply: Optional[HttpResponse] = absent()


class Verdict(Enum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    PARKED = "parked"
    AWAITING_REVIEW = "awaiting-review"
    DUPLICATE = "duplicate"


class RefusalReason(Enum):
    SOLD_OUT = "sold-out"
    CLOSED = "closed"
    MIN_STAY = "min-stay"
    MAX_STAY = "max-stay"
    EXACT_STAY = "exact-stay"
    CLOSED_TO_ARRIVAL = "closed-to-arrival"
    CLOSED_TO_DEPARTURE = "closed-to-departure"
    OCCUPANCY = "occupancy"
    ADVANCE_NOTICE = "advance-notice"
    NO_RATE = "no-rate"
    PETS = "pets"
    UNKNOWN_PROPERTY = "unknown-property"
    UNKNOWN_ROOM_TYPE = "unknown-room-type"
    UNKNOWN_RATE_PLAN = "unknown-rate-plan"
    UNKNOWN_RESERVATION = "unknown-reservation"
    INVALID = "invalid"
    OTHER = "other"


@record
class AppliedChange:
    verdict: Verdict
    our_reference: str
    at: str


@record
class Refusal:
    reason: RefusalReason
    text: str
    path: Optional[str] = absent()


@record
class Hold:
    reference: str
    until: str


@record
class CoreBooking:
    our_reference: str
    changed_at: str
    reservation: Reservation


class ChangeResult(Variant):
    """The result of one change."""

    Applied = _Case(AppliedChange)
    Refused = _Case(list[Refusal])
    Available = _Case()
    Held = _Case(Hold)
    Released = _Case()
    Quote = _Case(Quote)
    Bookings = _Case(list[CoreBooking])
    Other = _Case(Other)


class ResumePoint(Variant):
    """Where the next run starts: `Instant` comes back as `Selection.ChangedSince`, `Token` as `Selection.After`."""

    Instant = _Case(str)
    Token = _Case(str)


class Selection(Variant):
    Everything = _Case()
    ChangedSince = _Case(str)
    After = _Case(str)
    Some = _Case(list[str])
    Within = _Case(Nights)
    Queue = _Case(str)


@record
class Query:
    entity: Entity
    selection: Selection
    property_id: Optional[str] = absent()
    room_type_id: Optional[str] = absent()
    cursor: Optional[str] = absent()


class Scope(Variant):
    """`Whole`: what the pages of this fetch do not name is gone. `Delta`: it may merely be unchanged."""

    Delta = _Case()
    Whole = _Case(Nights)
    WholeEntity = _Case()


@record
class Page:
    changes: list[Change]
    next: Optional[str] = absent()
    resume: Optional[ResumePoint] = absent()
    scope: Scope = field(default_factory=Scope.Delta)
    wait_seconds: Optional[U32] = absent()


class AcknowledgementKind(Variant):
    Applied = _Case()
    Refused = _Case(str)


@record
class Acknowledgement:
    token: str
    external_id: str
    kind: AcknowledgementKind
    at: str
    our_reference: Optional[str] = absent()


class AcknowledgementOutcome(Variant):
    """The channel's answer to an acknowledgement. `Outdated`: it has a newer revision and will deliver it."""

    Accepted = _Case()
    Retry = _Case(Optional[U32])
    Outdated = _Case(str)
    Refused = _Case(str)


class OperationKind(Enum):
    CREATE = "create"
    CHANGE = "change"
    CANCEL = "cancel"
    ACCEPT = "accept"
    DECLINE = "decline"
    BLOCK = "block"
    UNBLOCK = "unblock"


class Attempt(Enum):
    """`AFTER_UNKNOWN`: an earlier try may have worked, so look before writing again."""

    FIRST = "first"
    AFTER_UNKNOWN = "after-unknown"


class Subject(Variant):
    """A block for `OperationKind.BLOCK` and `OperationKind.UNBLOCK`, a reservation for all others."""

    Reservation = _Case(Reservation)
    Block = _Case(Block)


@record
class Operation:
    kind: OperationKind
    reference: str
    subject: Subject
    attempt: Attempt = Attempt.FIRST
    channel_id: Optional[str] = absent()


@record
class ContentItem:
    entity: Entity
    reference: str
    content: Json
    channel_id: Optional[str] = absent()


@record
class Accepted:
    """Not confirmed unless said so: then it counts only after it was read back."""

    channel_id: Optional[str] = absent()
    replaces: Optional[str] = absent()
    confirmed: bool = False
    warnings: list[str] = empty()


class Outcome(Variant):
    """The outcome of one item. `Unknown`: the channel may or may not have accepted it."""

    Accepted = _Case(Accepted)
    Refused = _Case(list[FieldError])
    Retry = _Case(Optional[U32])
    Unknown = _Case()
    Other = _Case(Other)


@record
class Chunk:
    """One chunk of a feed; status and headers count in the first only."""

    body: bytes
    status: U16 = 200
    headers: list[Header] = empty()
    next: Optional[str] = absent()


@record
class Report:
    account: Optional[str] = absent()
    scopes: list[str] = empty()
    missing: list[str] = empty()
    extra: Extra = no_extra()


@record
class Subscribed:
    """The channel's ids of what it subscribed, and what a person still has to do there."""

    ids: list[str] = empty()
    steps: list[str] = empty()


class HttpError(Variant):
    NotGranted = _Case(str)
    BadRequest = _Case(str)
    AddressRefused = _Case(str)
    RateLimited = _Case(Optional[U32])
    CircuitOpen = _Case(Optional[U32])
    TimedOut = _Case()
    TooLarge = _Case(U64)
    Connect = _Case(str)
    Tls = _Case(str)
    Credential = _Case(str)


@record
class Capture:
    """A part of the answer that the host keeps as a secret and blanks before the plugin sees it."""

    slot: str
    field: str
    place: str
    lifetime_seconds: Optional[U32] = absent()


class Level(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@record
class PageOfProperties:
    items: list[Property] = empty()
    next: Optional[str] = absent()


@record
class PageOfReservations:
    items: list[CoreBooking] = empty()
    next: Optional[str] = absent()


_own = {name: made for name, made in vars().items() if getattr(made, "__module__", None) == __name__}
__all__ = [name for name, made in _own.items() if isinstance(made, type) and not name.startswith("_")]
