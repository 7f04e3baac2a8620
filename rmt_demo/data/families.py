"""The table of everyday facts: every family is one relation, with its paraphrases and its questions.

A family reads like this: `kept: person object -> room` says that a person and a thing together determine a
room. Below it, one kind of sentence per mark, paraphrases separated by a bar:

    +  statements                            ?  questions for the value (the slot behind the arrow)
    !  facts that override an earlier one    <  inverse questions, for the one slot they leave out

A slot is named after its word pool, with a digit where one pool is used twice. The LAST paraphrase of every
mark is kept for evaluation, and so are whole families (`HELD_OUT`). Families of one topic (behind the tilde)
could answer each other's questions, so a story never has two of them about the same thing.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One relation: the `keys` together determine the `value`. Templates mention slots as {slot}."""

    name: str
    topic: str
    keys: tuple[str, ...]
    value: str
    split: str
    statements: tuple[str, ...]
    questions: tuple[str, ...]
    updates: tuple[str, ...] = ()
    inverse: tuple[str, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        """All slots, the value last."""
        return (*self.keys, self.value)


def slot_kind(slot: str) -> str:
    """The word pool of a slot: its name without the digit ("person2" -> "person")."""
    return slot.rstrip("0123456789")


def slots_of(template: str) -> list[str]:
    """The slots a template mentions, in reading order."""
    return re.findall(r"{(\w+)}", template)


def paraphrases(templates: tuple[str, ...], split: str) -> tuple[str, ...]:
    """What of a paraphrase list belongs to a split: the last one is "eval", the others are "train"."""
    return templates[-1:] if split == "eval" else templates[:-1]


def _parse(table: str, split: str) -> dict[str, Family]:
    families = {}
    for block in table.strip().split("\n\n"):
        head, *lines = block.splitlines()
        name, keys, value, topic = re.fullmatch(r"(\w+): ([\w ]+) -> (\w+)(?: ~ (\w+))?", head).groups()
        groups: dict[str, tuple[str, ...]] = {mark: () for mark in "+?!<"}
        for line in lines:
            groups[line[0]] += tuple(line[2:].split(" | "))
        families[name] = Family(name, topic or name, tuple(keys.split()), value, split, *groups.values())
    return families


# Where somebody who took a thing has carried it: asked like a fact, answered in two steps.
CARRIED = (
    "Where is the {object}?",
    "Where is the {object} now?",
    "Which place is the {object} in?",
    "Where is the {object} by now?",
)

TRAINED = _parse(
    """
go: person -> site ~ at
+ {person} went to the {site}. | {person} is now in the {site}. | {person} walked over to the {site}.
+ {person} travelled to the {site}. | {person} hurried off to the {site}.
+ {person} headed straight for the {site}.
? Where is {person}? | Where is {person} now? | Which place is {person} in? | Where can {person} be found?
! Later {person} went on to the {site}. | {person} moved to the {site}.
! After that {person} left for the {site}.
< Who is in the {site}? | Who is at the {site} now?

take: object -> person ~ thing
+ {person} picked up the {object}. | {person} took the {object}.
+ {person} grabbed the {object} from the floor. | {person} lifted the {object} and kept hold of it.
+ {person} got hold of the {object}.
? Who picked up the {object}? | Who took the {object}? | Who got the {object}?
< What did {person} pick up? | What did {person} take?

drop: object -> person ~ thing
+ {person} dropped the {object}. | {person} put down the {object}. | {person} let go of the {object}.
+ {person} left the {object} there.
? Who dropped the {object}? | Who put down the {object}? | Who left the {object} there?
< What did {person} drop? | What did {person} put down?

kept: person object -> room ~ thing
+ {person} keeps the {object} in the {room}. | The {object} of {person} is kept in the {room}.
+ {person} stores the {object} in the {room}. | In the {room} is where {person} keeps the {object}.
? Where does {person} keep the {object}? | In which room does {person} store the {object}?
? Where is the {object} of {person} kept?
! {person} moved the {object} to the {room}. | Now {person} keeps the {object} in the {room}.
! Since then {person} has kept the {object} in the {room}.
< Who keeps the {object} in the {room}? | What does {person} keep in the {room}?
< Who stores the {object} in the {room}?

located: object -> site ~ thing
+ The {object} is in the {site}. | You will find the {object} in the {site}.
+ Someone left the {object} in the {site}. | The {object} was put in the {site}.
+ The place of the {object} is the {site}.
? Where is the {object}? | Where can the {object} be found? | In which place is the {object}?
! The {object} is now in the {site}. | Somebody moved the {object} to the {site}.
! The {object} has been taken to the {site}.
< What is in the {site}? | What can be found in the {site}?

inside: object -> container ~ thing
+ The {object} is inside the {container}. | There is the {object} inside the {container}.
+ The {container} contains the {object}. | The {object} lies at the bottom of the {container}.
? What is the {object} inside? | Which container holds the {object}? | What does the {object} lie in?
! The {object} was put into the {container} instead. | Now the {container} contains the {object}.
< What is inside the {container}? | What does the {container} contain?

owns: object -> person ~ thing
+ The {object} belongs to {person}. | {person} is the owner of the {object}. | {person} owns the {object}.
+ The owner of the {object} is {person}.
? Who owns the {object}? | Who does the {object} belong to? | Whose is the {object}?
! The {object} now belongs to {person}. | {person} became the new owner of the {object}.
< What does {person} own? | What belongs to {person}?

gave: person object -> person2 ~ thing
+ {person} gave the {object} to {person2}. | {person} handed the {object} to {person2}.
+ {person2} received the {object} from {person}. | {person2} was given the {object} by {person}.
? Who did {person} give the {object} to? | Who got the {object} from {person}?
? Who received the {object} from {person}?
< Who gave the {object} to {person2}? | What did {person} give to {person2}?
< From whom did {person2} get the {object}?

borrowed: person object -> person2 ~ thing
+ {person} borrowed the {object} from {person2}. | {person2} lent the {object} to {person}.
+ The {object} was lent to {person} by {person2}. | {person} has the {object} on loan from {person2}.
? Who did {person} borrow the {object} from? | Who lent the {object} to {person}?
? Who lent {person} the {object}?
< Who borrowed the {object} from {person2}? | What did {person} borrow from {person2}?
< Who has {person2}'s {object}?

paid: person object -> price ~ thing
+ {person} paid {price} for the {object}. | {person} bought the {object} for {price}.
+ The {object} cost {person} {price}. | For the {object} {person} spent {price}.
? How much did {person} pay for the {object}? | What did {person} pay for the {object}?
? How much did the {object} cost {person}?
< Who paid {price} for the {object}? | Who bought the {object} for {price}?

costs: object -> price ~ thing
+ The {object} costs {price}. | The price of the {object} is {price}.
+ In the shop the {object} sells for {price}. | They are asking {price} for the {object}.
? How much does the {object} cost? | What is the price of the {object}? | How much is the {object}?
! The {object} now costs {price}. | The price of the {object} changed to {price}.
! The new price of the {object} is {price}.
< What costs {price}? | What is sold for {price}?

shopped: person object -> place ~ thing
+ {person} bought the {object} at the {place}. | {person} got the {object} new at the {place}.
+ At the {place} {person} bought the {object}. | The {object} that {person} bought came from the {place}.
? Where did {person} buy the {object}? | Where did {person} get the {object}?
? Where does the {object} of {person} come from?
< Who bought the {object} at the {place}? | What did {person} buy at the {place}?

lives: person -> city ~ at
+ {person} lives in {city}. | The home of {person} is in {city}. | {person} has a flat in {city}.
+ {person} has lived in {city} for years. | {person} is a resident of {city}.
? Where does {person} live? | Which city does {person} live in? | In which city is the home of {person}?
! {person} moved to {city}. | Now {person} lives in {city}. | {person} has found a new home in {city}.
< Who lives in {city}? | Whose home is in {city}?

born: person -> country
+ {person} was born in {country}. | The birthplace of {person} is {country}. | {person} comes from {country}.
+ {country} is where {person} was born.
? Where was {person} born? | In which country was {person} born? | What is the birthplace of {person}?
< Who was born in {country}? | Who comes from {country}?

birth_year: person -> year ~ age
+ {person} was born in {year}. | The birth year of {person} is {year}. | In {year} {person} was born.
+ The year of {person}'s birth was {year}.
? In which year was {person} born? | What is the birth year of {person}? | Which year was {person} born in?
< Who was born in {year}? | Whose birth year is {year}?

birthday: person -> date
+ {person} has a birthday on {date}. | The birthday of {person} is {date}.
+ On {date} {person} celebrates a birthday. | {person}'s birthday falls on {date}.
? When is the birthday of {person}? | When is {person}'s birthday?
? On which date does {person} celebrate a birthday?
< Who has a birthday on {date}? | Whose birthday is on {date}?

age: person -> age ~ age
+ {person} is {age} years old. | The age of {person} is {age}. | {person} has just turned {age}.
+ At the moment {person} is aged {age}.
? How old is {person}? | What is the age of {person}? | What age is {person}?
< Who is {age} years old? | Who is aged {age}?

job: person -> job
+ {person} works as a {job}. | The job of {person} is {job}. | {person} earns a living as a {job}.
+ {person} is a {job} by trade. | {person}'s profession is that of a {job}.
? What is the job of {person}? | What does {person} work as? | What is {person}'s profession?
! {person} now works as a {job}. | {person} became a {job}. | {person} changed jobs and is a {job} now.
< Who works as a {job}? | Who is the {job}?

employer: person -> company ~ work
+ {person} works for {company}. | {person} is employed at {company}. | The employer of {person} is {company}.
+ {company} is the company {person} works for.
? Which company does {person} work for? | Who is the employer of {person}? | Where is {person} employed?
! {person} now works for {company}. | {person} left and joined {company}.
! The new employer of {person} is {company}.
< Who works for {company}? | Who is employed at {company}?

colour: object -> colour ~ colour
+ The colour of the {object} is {colour}. | The {object} is painted {colour}.
+ The {object} is {colour} all over. | Everyone could see that the {object} was {colour}.
? What colour is the {object}? | What is the colour of the {object}? | Which colour does the {object} have?
! The {object} was painted {colour}. | The {object} is {colour} now.
! The new colour of the {object} is {colour}.
< What is painted {colour}? | Which thing is {colour}?

wears: person clothing -> colour ~ colour
+ {person} is wearing a {colour} {clothing}. | The {clothing} of {person} is {colour}.
+ {person} has a {colour} {clothing}. | {person} put on the {colour} {clothing} today.
? What colour is the {clothing} of {person}? | What is the colour of {person}'s {clothing}?
? Which colour of {clothing} does {person} wear?
< Whose {clothing} is {colour}? | Who wears the {colour} {clothing}?

favourite_colour: person -> colour
+ The favourite colour of {person} is {colour}. | {person} likes {colour} more than other colours.
+ Of all colours {person} likes {colour} best. | {person} thinks {colour} is the finest colour.
? What is the favourite colour of {person}? | Which colour does {person} like best?
? What is {person}'s favourite colour?
< Whose favourite colour is {colour}? | Who likes {colour} best?

eats: person -> food
+ {person} likes to eat {food}. | The favourite food of {person} is {food}. | {person} loves eating {food}.
+ {person} could eat {food} every day.
? What does {person} like to eat? | What is the favourite food of {person}?
? What could {person} eat every day?
< Who likes to eat {food}? | Whose favourite food is {food}?

hates: person -> food
+ {person} cannot stand {food} at all. | {person} hates the taste of {food}.
+ {person} refuses to touch {food}. | The very smell of {food} disgusts {person}.
? What can {person} not stand? | Which food does {person} hate? | What does {person} refuse to touch?
< Who hates {food}? | Who cannot stand {food}?

drinks: person -> drink
+ {person} likes to drink {drink}. | {person} always orders {drink}. | {person} has {drink} with every meal.
+ The drink that {person} prefers is {drink}.
? What does {person} like to drink? | What does {person} always order? | Which drink does {person} prefer?
< Who likes to drink {drink}? | Who always orders {drink}?

pet: person -> pet ~ pet
+ {person} has a {pet} as a pet. | The pet of {person} is a {pet}. | {person} keeps a {pet} at home.
+ {person} is the owner of a {pet}.
? What pet does {person} have? | Which animal does {person} keep? | What kind of pet does {person} own?
< Who has a {pet} as a pet? | Who keeps a {pet}?

pet_name: person pet -> person2 ~ pet
+ {person} has a {pet} called {person2}. | The name of {person}'s {pet} is {person2}.
+ {person} named the {pet} {person2}. | {person2} is the name {person} gave the {pet}.
? What is the {pet} of {person} called? | What is the name of {person}'s {pet}?
? What did {person} name the {pet}?
< Who has a {pet} called {person2}? | Whose {pet} is called {person2}?

plays: person -> instrument
+ {person} plays the {instrument}. | {person} is learning the {instrument}.
+ {person} takes lessons on the {instrument}. | The instrument that {person} plays is the {instrument}.
? Which instrument does {person} play? | What instrument is {person} learning?
? What does {person} make music with?
! {person} now plays the {instrument}. | {person} switched to the {instrument}.
< Who plays the {instrument}? | Who is learning the {instrument}?

sport: person -> sport ~ sport
+ {person} does {sport} at the weekend. | The sport of {person} is {sport}.
+ {person} trains hard for {sport}. | {person} is on a {sport} team.
? Which sport does {person} do? | What is the sport of {person}? | Which sport does {person} train for?
! {person} gave that up and does {sport} now. | {person} has taken up {sport} as a new sport.
< Who does {sport}? | Whose sport is {sport}?

hobby: person -> hobby ~ sport
+ The hobby of {person} is {hobby}. | {person} spends every free hour on {hobby}.
+ In the evening {person} enjoys {hobby}. | {person} relaxes by means of {hobby}.
? What is the hobby of {person}? | What does {person} enjoy in the evening?
? How does {person} spend free hours?
< Whose hobby is {hobby}? | Who enjoys {hobby}?

speaks: person -> language
+ {person} speaks fluent {language}. | {person} grew up speaking {language}.
+ The mother tongue of {person} is {language}. | {language} is the language {person} speaks at home.
? Which language does {person} speak? | What is the mother tongue of {person}?
? What language did {person} grow up with?
< Who speaks {language}? | Whose mother tongue is {language}?

studies: person -> subject
+ {person} studies {subject} at college. | {person} is a student of {subject}.
+ {person} chose {subject} as a subject. | The subject {person} studies is {subject}.
? What does {person} study? | Which subject did {person} choose? | What is {person} a student of?
! {person} now studies {subject} instead. | {person} switched to {subject}.
< Who studies {subject}? | Who is a student of {subject}?

professor: surname -> subject
+ Professor {surname} teaches {subject}. | The lectures of Professor {surname} are about {subject}.
+ Professor {surname} gives the course in {subject}. | Professor {surname} is an expert in {subject}.
? What does Professor {surname} teach? | What are the lectures of Professor {surname} about?
? Which course does Professor {surname} give?
< Which professor teaches {subject}? | Who gives the course in {subject}?

drives: person -> vehicle
+ {person} drives a {vehicle} to work. | {person} came here by {vehicle}.
+ {person} travels everywhere by {vehicle}. | {person} gets around in a {vehicle}.
? How does {person} travel? | What did {person} come here by? | What does {person} get around in?
! {person} now travels by {vehicle}. | {person} has a {vehicle} for travelling now.
< Who travels by {vehicle}? | Who came here by {vehicle}?

door_code: room -> code ~ code
+ The code for the {room} is {code}. | The door of the {room} opens with {code}.
+ To enter the {room} type {code}. | Use {code} at the door of the {room}.
? What is the code for the {room}? | Which code opens the {room}? | What do you type to enter the {room}?
! The new code for the {room} is {code}. | The code for the {room} was changed to {code}.
! From now on the {room} opens with {code}.
< What does the code {code} open? | Which room opens with {code}?

password: object -> code ~ code
+ The password for the {object} is {code}. | You unlock the {object} with {code}.
+ The {object} needs the password {code}. | The {object} has the password {code}.
? What is the password for the {object}? | How do you unlock the {object}?
? Which password does the {object} need?
! The new password for the {object} is {code}. | Somebody set the password of the {object} to {code}.
< What is unlocked with {code}? | What is {code} the password for?

locker: person -> number
+ {person} has locker number {number}. | The locker of {person} is number {number}.
+ {person} uses locker {number} at the gym. | Locker {number} was assigned to {person}.
? What is the locker number of {person}? | Which locker does {person} use?
? Which locker was assigned to {person}?
! {person} now has locker {number}. | {person} was moved to locker {number}.
< Who has locker {number}? | Whose locker is number {number}?

phone: person -> code ~ code
+ You can phone {person} on {code}. | The phone number of {person} is {code}.
+ {person} answers the phone on {code}. | Dial {code} if you want to reach {person}.
? What is the phone number of {person}? | What number do you phone {person} on?
? Which number reaches {person}?
! {person} has the new phone number {code}. | The phone number of {person} changed to {code}.
< Whose phone number is {code}? | Who answers on {code}?

lunch: person -> time
+ {person} eats lunch at {time}. | The lunch break of {person} starts at {time}.
+ {person} goes for lunch at {time}. | At {time} {person} stops for lunch.
? When does {person} eat lunch? | What time is the lunch break of {person}?
? When does {person} stop for lunch?
! {person} moved the lunch break to {time}. | From now on {person} has lunch at {time}.
< Who eats lunch at {time}? | Who goes for lunch at {time}?

wakes: person -> time
+ {person} gets up at {time}. | {person} always wakes up at {time}. | The alarm of {person} rings at {time}.
+ At {time} {person} gets out of bed.
? When does {person} get up? | What time does {person} wake up? | When does {person} get out of bed?
! {person} now gets up at {time}. | {person} has set the alarm to {time}.
< Who gets up at {time}? | Who wakes up at {time}?

appointment: person job -> weekday
+ {person} sees the {job} on {weekday}. | {person} has an appointment with the {job} on {weekday}.
+ The {job} expects {person} on {weekday}. | On {weekday} {person} visits the {job}.
? When does {person} see the {job}? | When is {person}'s appointment with the {job}?
? When does the {job} expect {person}?
! {person} will see the {job} on {weekday} instead. | The {job} moved {person}'s appointment to {weekday}.
< Who sees the {job} on {weekday}? | Who does {person} see on {weekday}?

train: city -> time
+ The train to {city} leaves at {time}. | The train for {city} departs at {time}.
+ At {time} the train to {city} leaves. | Passengers for {city} depart at {time}.
? When does the train to {city} leave? | What time does the train for {city} depart?
? When do passengers for {city} depart?
! The train to {city} is delayed until {time}. | The train to {city} now leaves at {time}.
< Where does the train at {time} go? | Which city is the {time} train for?

bus: city -> number
+ Bus {number} goes to {city}. | You reach {city} by bus number {number}.
+ The bus to {city} is number {number}. | For {city} take bus {number}.
? Which bus goes to {city}? | What is the number of the bus to {city}? | Which bus do you take for {city}?
< Where does bus {number} go? | Which city does bus {number} reach?

opens: place -> time
+ The {place} opens at {time}. | The doors of the {place} open at {time}. | At {time} they open the {place}.
+ Visitors may enter the {place} from {time}.
? When does the {place} open? | What time do the doors of the {place} open?
? From when may visitors enter the {place}?
! The {place} now opens at {time}. | The opening time of the {place} changed to {time}.
< What opens at {time}? | Which place opens at {time}?

coins: container -> number ~ thing
+ The {container} holds {number} coins. | There are {number} coins in the {container}.
+ Someone counted {number} coins in the {container}. | In the {container} lie {number} coins.
? How many coins are in the {container}? | How many coins does the {container} hold?
? What is the number of coins in the {container}?
! Now there are {number} coins in the {container}. | The {container} holds {number} coins now.
< Which container holds {number} coins? | What holds {number} coins?

material: object -> material
+ The {object} is made of {material}. | They made the {object} out of {material}.
+ The {object} consists of {material}. | All of the {object} is {material}.
? What is the {object} made of? | What material is the {object}? | What does the {object} consist of?
< What is made of {material}? | What consists of {material}?

distance: city -> number
+ It is {number} miles to {city}. | The way to {city} is {number} miles.
+ From here {city} is {number} miles away. | You travel {number} miles to reach {city}.
? How many miles is it to {city}? | How far away is {city}? | How many miles do you travel to {city}?
< Which city is {number} miles away? | What is {number} miles from here?

on: object -> object2 ~ thing
+ The {object} is on top of the {object2}. | The {object} was placed on the {object2}.
+ The {object} stands on the {object2}. | On top of the {object2} is the {object}.
? What is the {object} on top of? | What was the {object} placed on? | What does the {object} stand on?
! The {object} is now on the {object2}. | Somebody put the {object} onto the {object2}.
< What is on top of the {object2}? | What stands on the {object2}?

under: object -> object2 ~ thing
+ The {object} is under the {object2}. | Beneath the {object2} is the {object}.
+ The {object} lies underneath the {object2}. | The {object} has been pushed beneath the {object2}.
? What is the {object} under? | What does the {object} lie underneath? | What is the {object} beneath?
< What is under the {object2}? | What lies underneath the {object2}?

behind: place -> place2 ~ street
+ The {place} is behind the {place2}. | The {place} stands behind the {place2}.
+ Behind the {place2} is the {place}. | You find the {place} right behind the {place2}.
? What is the {place} behind? | What does the {place} stand behind? | Behind which place is the {place}?
< What is behind the {place2}? | What stands behind the {place2}?

north: place -> place2 ~ street
+ The {place} is north of the {place2}. | North of the {place2} is the {place}.
+ The {place} lies north of the {place2}. | Go north from the {place2} to reach the {place}.
? What is the {place} north of? | What does the {place} lie north of? | Which place is the {place} north of?
< What is north of the {place2}? | What lies north of the {place2}?

kin: person kin -> person2
+ The {kin} of {person} is {person2}. | {person} has a {kin} named {person2}.
+ {person2} is the {kin} of {person}. | {person}'s {kin} goes by the name of {person2}.
? Who is the {kin} of {person}? | What is the name of {person}'s {kin}?
? Which person is the {kin} of {person}?
< Whose {kin} is {person2}? | Of whom is {person2} the {kin}?

admires: person -> person2
+ {person} admires {person2} very much. | {person} is a great admirer of {person2}.
+ {person} looks up to {person2}. | {person2} is much admired by {person}.
? Who does {person} admire? | Who does {person} look up to? | Whom is {person} an admirer of?
< Who admires {person2}? | Who looks up to {person2}?

allergic: person -> food
+ {person} is allergic to {food}. | {person} gets ill from eating {food}.
+ Doctors told {person} never to eat {food}. | A single bite of {food} makes {person} ill.
? What is {person} allergic to? | What does {person} get ill from? | What makes {person} ill?
< Who is allergic to {food}? | Who gets ill from {food}?

character: person -> virtue
+ Everyone says that {person} is {virtue}. | {person} is known to be {virtue}.
+ As a child {person} was already {virtue}. | People describe {person} as {virtue}.
? What do people say {person} is? | What is {person} known to be? | How do people describe {person}?
< Who is known to be {virtue}? | Who do people say is {virtue}?

reads: person -> title
+ {person} is reading {title}. | The book {person} is reading is {title}. | {person} bought a copy of {title}.
+ {person} cannot put down the novel {title}.
? What is {person} reading? | Which book is {person} reading? | Which novel can {person} not put down?
! {person} finished that and started reading {title}. | Now {person} is reading {title}.
< Who is reading {title}? | Who has a copy of {title}?

wrote: title -> person
+ {title} was written by {person}. | The author of {title} is {person}. | {person} wrote the book {title}.
+ {person} is famous as the author of {title}.
? Who wrote {title}? | Who is the author of {title}? | By whom was {title} written?
< What did {person} write? | Which book is by {person}?

visited: person year -> country
+ In {year} {person} visited {country}. | {person} went to see {country} in {year}.
+ {person} spent {year} in {country}. | {person} toured {country} back in {year}.
? Which country did {person} visit in {year}? | Where was {person} in {year}?
? Which country did {person} tour in {year}?
< When did {person} visit {country}? | In which year did {person} visit {country}?

plans: person -> country ~ at
+ {person} plans to fly to {country}. | {person} booked a trip to {country}.
+ Next summer {person} will travel to {country}. | The next holiday of {person} will be in {country}.
? Where does {person} plan to fly? | Where is the booked trip of {person} going?
? Where will {person} spend the next holiday?
! {person} changed plans and will fly to {country}. | Instead {person} has booked a trip to {country}.
< Who plans to fly to {country}? | Who booked a trip to {country}?

arrives: person -> weekday
+ {person} arrives on {weekday}. | We expect {person} on {weekday}. | {person} will be here on {weekday}.
+ The visit of {person} begins on {weekday}.
? When does {person} arrive? | When will {person} be here? | When does the visit of {person} begin?
! {person} will now arrive on {weekday}. | The arrival of {person} was moved to {weekday}.
< Who arrives on {weekday}? | Who will be here on {weekday}?

lost: person object -> place ~ thing
+ {person} lost the {object} at the {place}. | {person} forgot the {object} at the {place}.
+ The {object} that {person} lost was last seen at the {place}. | At the {place} {person} lost the {object}.
? Where did {person} lose the {object}? | Where did {person} forget the {object}?
? At which place did {person} lose the {object}?
< Who lost the {object} at the {place}? | What did {person} lose at the {place}?

late: person -> vehicle
+ {person} was late because the {vehicle} broke down. | A broken {vehicle} made {person} late.
+ {person} came late because of a {vehicle}. | The delay of {person} was caused by a {vehicle}.
? What made {person} late? | Why did {person} come late? | What caused the delay of {person}?
< Who was late because of a {vehicle}? | Who did the {vehicle} make late?

broke: object -> person
+ {person} broke the {object}. | The {object} was broken by {person}.
+ It was {person} who broke the {object}. | {person} smashed the {object} to pieces.
? Who broke the {object}? | By whom was the {object} broken? | Who smashed the {object}?
< What did {person} break? | What was broken by {person}?

feeds: animal -> food
+ The {animal} eats {food} every morning. | They feed the {animal} with {food}.
+ The {animal} lives on {food}. | Nothing pleases the {animal} more than {food}.
? What does the {animal} eat? | What do they feed the {animal} with? | What pleases the {animal} most?
< Which animal eats {food}? | Which animal lives on {food}?

animal_name: animal -> person ~ pet
+ The {animal} is called {person}. | The name of the {animal} is {person}. | They named the {animal} {person}.
+ {person} is what they call the {animal}.
? What is the {animal} called? | What is the name of the {animal}? | What do they call the {animal}?
< Which animal is called {person}? | Which animal did they name {person}?

manager: company -> person ~ work
+ {person} is the head of {company}. | The manager of {company} is {person}. | {company} is led by {person}.
+ {person} makes the decisions at {company}.
? Who is the head of {company}? | Who is the manager of {company}? | Who leads {company}?
! {person} took over as head of {company}. | The new manager of {company} is {person}.
< Which company is led by {person}? | Which company does {person} manage?

founded: company -> year
+ {company} was founded in {year}. | The company {company} dates from {year}.
+ {company} opened for business in {year}. | The founding year of {company} is {year}.
? When was {company} founded? | In which year was {company} founded? | What is the founding year of {company}?
< Which company was founded in {year}? | Which company dates from {year}?

makes: company -> material
+ {company} trades in {material}. | The company {company} sells only {material}.
+ {company} makes its money with {material}. | The business of {company} is {material}.
? What does {company} sell? | What does {company} trade in? | What is the business of {company}?
< Which company sells {material}? | Which company trades in {material}?

listens: person -> music
+ {person} likes listening to {music}. | {person} has many records of {music}.
+ The music {person} likes is {music}. | {person} turns up the radio for {music}.
? What music does {person} like? | What does {person} like listening to? | What does {person} have records of?
< Who likes listening to {music}? | Who has records of {music}?

scored: person -> number
+ {person} scored {number} points. | The score of {person} was {number}.
+ {person} finished with {number} points. | In the end {number} points went to {person}.
? How many points did {person} score? | What was the score of {person}? | How many points did {person} get?
! The score of {person} was corrected to {number}. | {person} now has {number} points.
< Who scored {number} points? | Who finished with {number} points?

won: sport -> person ~ sport
+ {person} won the {sport} contest. | The winner in {sport} was {person}.
+ The prize for {sport} went to {person}. | In {sport} nobody could beat {person}.
? Who won the {sport} contest? | Who was the winner in {sport}? | Who got the prize for {sport}?
< What contest did {person} win? | In which sport did {person} win?

key: room -> object ~ thing
+ The key to the {room} is under the {object}. | They hide the key of the {room} under the {object}.
+ Look under the {object} for the {room} key. | The {object} hides the key to the {room}.
? What is the key to the {room} under? | Where is the {room} key hidden? | What hides the key to the {room}?
! The key to the {room} is now under the {object}. | The {room} key was moved under the {object}.
< Which key is under the {object}? | Which room's key is under the {object}?
""",
    "train",
)

HELD_OUT = _parse(
    """
hotel: person -> number ~ at
+ {person} stays in hotel room {number}. | The hotel gave {person} room {number}.
+ {person} sleeps in room {number}. | Room {number} is reserved for {person}.
? Which hotel room does {person} stay in? | What is the room number of {person}?
? Which room is reserved for {person}?
! {person} changed to room {number}. | {person} was given room {number} instead.
< Who stays in room {number}? | For whom is room {number} reserved?

afraid: person -> animal
+ {person} is afraid of the {animal}. | The {animal} frightens {person} terribly.
+ {person} runs away from the {animal}. | Nothing scares {person} like the {animal}.
? What is {person} afraid of? | What frightens {person}? | What does {person} run away from?
< Who is afraid of the {animal}? | Who does the {animal} frighten?

based: company -> city
+ {company} is based in {city}. | The offices of {company} are in {city}.
+ {company} runs its business from {city}. | The headquarters of {company} stand in {city}.
? Where is {company} based? | In which city are the offices of {company}?
? Where are the headquarters of {company}?
! {company} moved its offices to {city}. | {company} is now based in {city}.
< Which company is based in {city}? | Which company has offices in {city}?

found: person object -> container ~ thing
+ {person} found the {object} in the {container}. | {person} discovered the {object} in the {container}.
+ In the {container} {person} found the {object}.
+ The {object} turned up in the {container} opened by {person}.
? Where did {person} find the {object}? | Where did {person} discover the {object}?
? What was the {object} in when {person} found it?
< Who found the {object} in the {container}? | What did {person} find in the {container}?

shape: object -> shape
+ The {object} is shaped like a {shape}. | The shape of the {object} is a {shape}.
+ The {object} looks like a {shape}. | The {object} has the form of a {shape}.
? What is the {object} shaped like? | What is the shape of the {object}? | Which form does the {object} have?
< What is shaped like a {shape}? | What looks like a {shape}?

seat: person -> code
+ {person} sits in seat {code}. | The ticket of {person} is for seat {code}.
+ {person} was given seat {code} on the plane. | Seat {code} is taken by {person}.
? Which seat does {person} sit in? | What seat is the ticket of {person} for?
? Which seat is taken by {person}?
! {person} moved to seat {code}. | {person} now sits in seat {code}.
< Who sits in seat {code}? | Who has seat {code}?

menu: weekday -> food
+ On {weekday} the canteen serves {food}. | There will be {food} on {weekday}.
+ The meal for {weekday} is {food}. | They plan to cook {food} on {weekday}.
? What does the canteen serve on {weekday}? | What is the meal for {weekday}?
? What will they cook on {weekday}?
! On {weekday} there will be {food} instead. | The meal for {weekday} was changed to {food}.
< When does the canteen serve {food}? | When will there be {food}?

planted: person plant -> place
+ {person} planted the {plant} by the {place}. | By the {place} {person} planted the {plant}.
+ {person} put the {plant} in the ground near the {place}. | The {plant} of {person} grows by the {place}.
? Where did {person} plant the {plant}? | By which place did {person} plant the {plant}?
? Where does the {plant} of {person} grow?
< Who planted the {plant} by the {place}? | What did {person} plant by the {place}?

interview: person person2 -> time
+ {person} will interview {person2} at {time}. | The interview of {person2} by {person} begins at {time}.
+ At {time} {person} interviews {person2}. | {person2} has to face questions from {person} at {time}.
? When will {person} interview {person2}? | What time does {person} interview {person2}?
? When does the interview of {person2} by {person} begin?
! {person} will now interview {person2} at {time}. | {person} moved the interview with {person2} to {time}.
< Who will interview {person2} at {time}? | Who will {person} interview at {time}?

weighs: object -> number
+ The {object} weighs {number} grams. | The weight of the {object} is {number} grams.
+ On the scales the {object} showed {number} grams. | They measured {number} grams for the {object}.
? How many grams does the {object} weigh? | What is the weight of the {object}? | How heavy is the {object}?
< What weighs {number} grams? | What has a weight of {number} grams?

exam: subject -> date
+ The {subject} exam is on {date}. | Students take the exam in {subject} on {date}.
+ The test in {subject} falls on {date}. | On {date} there is an exam in {subject}.
? When is the {subject} exam? | On which date is the exam in {subject}?
? When do students take the {subject} exam?
! The {subject} exam was moved to {date}. | The new date of the {subject} exam is {date}.
< Which exam is on {date}? | In what subject is the exam on {date}?
""",
    "eval",
)

FAMILIES = TRAINED | HELD_OUT
