-- Units that somebody has closed by hand: nobody sells them. Each is counted in `gas_unit_nights.blocked` of its night, whose
-- facts are its own.

create table gas_closures (
    account_id integer not null,
    id integer primary key autoincrement,
    unit_id integer not null,
    night text not null,
    quantity integer not null check (quantity > 0),
    created_at text not null,
    updated_at text not null,
    unique (account_id, id),
    foreign key (account_id, unit_id) references gas_bookable_units (account_id, id)
) strict;

create index gas_closures_by_night on gas_closures (account_id, unit_id, night);

-- What sources show closed that neither their bookings nor what they were told explain. One by a word stays as long as the
-- channel shows the word, one by a count follows the count.
create table int_closures (
    account_id integer not null,
    source_id integer not null,
    int_room_type_id integer not null,
    night text not null,
    gas_unit_id integer not null,
    by_word integer not null check (by_word in (0, 1)),
    -- How many units it closes: of a word all there are.
    units integer not null check (units >= 0),
    -- A person has said that it is to be sold all the same: it closes nothing.
    waived integer not null check (waived in (0, 1)),
    gas_closure_id integer,
    since text not null,
    observed_at text not null,
    primary key (account_id, source_id, int_room_type_id, night),
    foreign key (account_id, source_id) references int_sources (account_id, id),
    foreign key (account_id, int_room_type_id) references int_room_types (account_id, id),
    foreign key (account_id, gas_unit_id) references gas_bookable_units (account_id, id)
) strict;

-- Which sources have closed a unit's night.
create index int_closures_by_unit on int_closures (account_id, gas_unit_id, night);
