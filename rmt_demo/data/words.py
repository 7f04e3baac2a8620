"""Entity words for generated facts: typed pools, each divided into a training and an evaluation part.

The side of a word is a hash of its letters alone, so a word in several pools is on the same side in all of
them, on every machine. Every entry is at most three WordPieces of BERT's uncased vocabulary (a test checks).
"""

import zlib
from functools import cache
from itertools import product

PROPER = frozenset("person surname city country language company title".split())  # capitalised wherever they stand

# An underscore stands for a space.
_LISTED = {
    "person": """
        Aaron Abdul Abel Abigail Adam Adele Adrian Agatha Agnes Ahmed Aisha Akira Alan Albert Alessandro Alex
        Alexander Alfred Ali Alice Alicia Amanda Amber Amelia Amina Amir Amy Ana Anders Andre Andrea Andrew
        Angela Angus Anita Anna Anthony Anton Antonio Arjun Arnold Arthur Astrid Audrey Aurora Barbara
        Beatrice Ben Benjamin Bernard Beth Bianca Bjorn Boris Brenda Brian Bridget Bruce Bruno Carla Carlos
        Carmen Carol Caroline Catherine Cecil Cedric Celia Charles Charlotte Chen Chloe Christina Christopher
        Clara Claude Claudia Clement Colin Connor Conrad Cynthia Daisy Daniel Daphne Darius David Deborah
        Dennis Diana Diego Dimitri Dmitri Dominic Dora Doris Dorothy Douglas Duncan Dylan Edgar Edith Edmund
        Eduardo Edward Eileen Elaine Eleanor Elena Eli Elias Elisa Elizabeth Ellen Elsa Emil Emily Emma
        Enrique Eric Erika Ernest Esther Ethan Eugene Eva Evelyn Fatima Felix Fernando Fiona Flora Florence
        Frances Francesca Francisco Frank Frederick Frida Gabriel Gavin Geoffrey George Gerald Gerard Gilbert
        Giovanni Giulia Gloria Gordon Grace Graham Greta Gregory Guido Gunnar Gustav Hamid Hannah Hans Harold
        Harriet Harry Hassan Hector Heidi Helen Helena Henrik Henry Herbert Hiroshi Holly Howard Hugh Hugo Ian
        Ibrahim Ida Igor Ines Ingrid Irene Iris Isaac Isabel Isabella Ivan Ivy Jack Jacob Jacques James Jane
        Janet Jasmine Jason Javier Jean Jeffrey Jennifer Jeremy Jerome Jessica Joan Joanna Joel Johan John
        Jonas Jonathan Jorge Joseph Joshua Josephine Joyce Juan Judith Julia Julian Juliet Justin Karen Karim
        Karl Kate Katherine Keiko Keith Kenji Kenneth Kevin Khalid Klaus Kofi Kurt Lara Lars Laura Lawrence
        Lea Leah Leila Leon Leonard Leonardo Leslie Liam Lila Lily Linda Lionel Lisa Lorenzo Louis Louise
        Lucas Lucia Lucy Luigi Luis Luna Lydia Mabel Magnus Malcolm Manuel Marco Margaret Maria Marianne Mario
        Marion Marta Martha Martin Mary Matilda Matthew Maurice Max Maya Megan Mehmet Melissa Mia Michael
        Miguel Mikhail Milan Mina Miranda Miriam Mohammed Molly Monica Morris Muriel Nadia Nancy Naomi Natalie
        Natasha Nathan Neil Nicholas Nicole Nigel Nikita Nikolai Nina Noah Nora Norman Olaf Olga Oliver Olivia
        Omar Oscar Otto Pablo Pamela Patricia Patrick Paul Paula Pavel Pedro Peter Philip Phoebe Pierre Priya
        Rachel Rafael Raj Ralph Ramon Raymond Rebecca Ricardo Richard Rita Robert Roberta Robin Roger Roland
        Roman Rosa Rosemary Ruth Ryan Sabine Sakura Salim Sally Samir Samuel Sandra Santiago Sara Sebastian
        Sergei Sharon Sheila Silvia Simon Sofia Sonia Sophie Stefan Stella Stephen Stuart Susan Sven Sylvia
        Tamara Tariq Teresa Theodore Theresa Thomas Tobias Tomas Tony Ursula Valentina Valerie Vanessa Vera
        Victor Victoria Vikram Vincent Violet Virginia Vivian Vladimir Walter Wanda Wayne Wendy Werner Wilhelm
        William Winston Xavier Yasmin Yuki Yusuf Yvonne Zara Zoe""",
    "surname": """
        Adams Allen Anderson Andrews Armstrong Atkins Bailey Baker Banerjee Barnes Becker Bell Bennett Bergman
        Bishop Blake Bonnet Bowman Bradley Brennan Brooks Brown Burke Burton Butler Byrne Campbell Carlson
        Carter Castillo Chandler Chapman Clarke Cohen Coleman Collins Cooper Costa Crawford Cruz Cunningham
        Curtis Dalton Davidson Davies Dawson Delgado Diaz Dixon Dubois Duffy Dunn Edwards Eriksson Estrada
        Evans Farrell Ferguson Fernandes Fischer Fisher Fitzgerald Fleming Fletcher Flores Foster Fowler
        Franklin Fraser Freeman Fuller Garcia Gardner Garner Gibson Gomez Gonzalez Goodman Grant Greene
        Griffin Gupta Haas Hansen Harper Harris Harrison Hart Hayes Henderson Hernandez Hoffman Holmes Hopkins
        Hudson Hughes Hussein Ito Jackson Jansen Jenkins Jensen Johnson Jones Kapoor Kaur Keller Kelly Kennedy
        Khan Kim Klein Kowalski Kumar Lambert Larsen Lawson Lee Lewis Lindgren Lopez Macdonald Malik Marshall
        Martinez Mason Mendoza Meyer Miller Mitchell Moreno Morgan Morrison Mueller Murphy Murray Nakamura
        Nelson Nguyen Novak Obrien Olsen Ortega Osborne Owens Palmer Park Parker Patel Patterson Perkins
        Petersen Phillips Popov Porter Powell Quinn Ramirez Reynolds Richter Rivera Robertson Rodriguez Rossi
        Russo Sanders Sato Schmidt Schneider Schultz Sharma Shaw Silva Simmons Singh Smith Stevens Stewart
        Sullivan Suzuki Takahashi Tanaka Taylor Thompson Torres Tran Tucker Turner Varga Vargas Wagner Walker
        Wallace Walsh Watson Webb Weber Wheeler Wood Wright Yamamoto Yilmaz Young Zhang Zimmerman""",
    "room": """
        attic basement bathroom bedroom cellar classroom corridor dining_room dressing_room garage guest_room
        gymnasium hall hallway kitchen laboratory larder laundry library living_room lobby loft lounge nursery
        office pantry parlor playroom porch study sunroom terrace veranda waiting_room wardrobe_room workshop
        greenhouse shed stable barn closet conservatory""",
    "place": """
        airport aquarium bakery bank barracks beach bookshop bridge cafe campsite casino castle cathedral
        cemetery chapel church cinema clinic college courthouse dairy dentist docks embassy factory farm
        fire_station forest fountain gallery garden gas_station harbor hospital hotel inn lake lighthouse mall
        market meadow mill monastery mosque mountain museum observatory opera orchard palace park pharmacy
        pier playground post_office prison quarry restaurant river school spa square stadium station studio
        supermarket synagogue tavern temple theater tower town_hall university vineyard warehouse waterfall
        windmill zoo""",
    "city": """
        Aberdeen Adelaide Algiers Amsterdam Ankara Antwerp Athens Atlanta Auckland Baghdad Bangkok Barcelona
        Beijing Belfast Belgrade Bergen Berlin Bern Bogota Bologna Bombay Bordeaux Boston Brisbane Bristol
        Brussels Bucharest Budapest Cairo Calcutta Calgary Cambridge Cardiff Casablanca Chicago Cleveland
        Cologne Copenhagen Dakar Dallas Damascus Delhi Denver Detroit Dresden Dubai Dublin Durham Edinburgh
        Florence Frankfurt Geneva Genoa Glasgow Gothenburg Hamburg Hanoi Havana Helsinki Houston Istanbul
        Jakarta Jerusalem Kabul Karachi Kiev Kingston Kyoto Lagos Lahore Leeds Leipzig Lima Lisbon Liverpool
        London Lyon Madrid Manchester Manila Marseille Melbourne Memphis Miami Milan Montreal Moscow Munich
        Nairobi Naples Nashville Nice Osaka Oslo Ottawa Oxford Palermo Paris Perth Philadelphia Phoenix
        Pittsburgh Porto Prague Quebec Riga Rome Rotterdam Salzburg Santiago Seattle Seoul Seville Shanghai
        Sheffield Singapore Sofia Stockholm Stuttgart Sydney Tallinn Tehran Tokyo Toronto Toulouse Trieste
        Tripoli Tunis Turin Uppsala Utrecht Valencia Vancouver Venice Vienna Vilnius Warsaw Wellington York
        Zagreb Zurich""",
    "country": """
        Albania Algeria Angola Argentina Armenia Australia Austria Bangladesh Belgium Bolivia Botswana Brazil
        Bulgaria Cambodia Cameroon Canada Chile China Colombia Croatia Cuba Cyprus Denmark Ecuador Egypt
        Estonia Ethiopia Fiji Finland France Georgia Germany Ghana Greece Guatemala Guinea Haiti Honduras
        Hungary Iceland India Indonesia Iran Iraq Ireland Israel Italy Jamaica Japan Jordan Kenya Kuwait Laos
        Latvia Lebanon Liberia Libya Lithuania Luxembourg Madagascar Malaysia Mali Malta Mexico Mongolia
        Morocco Mozambique Namibia Nepal Nicaragua Nigeria Norway Oman Pakistan Panama Paraguay Peru Poland
        Portugal Qatar Romania Russia Rwanda Senegal Serbia Slovakia Slovenia Somalia Spain Sudan Sweden
        Switzerland Syria Tanzania Thailand Tunisia Turkey Uganda Ukraine Uruguay Venezuela Vietnam Zambia
        Zimbabwe""",
    "object": """
        album alarm anchor anvil apron arrow axe backpack badge ball balloon bandage banner basin bat battery
        beads bell belt bicycle binoculars blanket blender board bolt bookmark boomerang boots bow bracelet
        brick broom brush bucket buckle bulb button calculator calendar camera candle cane canvas card carpet
        cart cello chain chair chalk charger chess_set chisel clamp clipboard clock coat coin comb compass
        computer cord cork crayon crown crystal cup curtain cushion dagger dart desk diamond diary dice
        dictionary dish doll drill drone dustpan earring easel envelope eraser fan feather file flag
        flashlight flask football fork frame frisbee funnel glasses globe glove glue goblet guitar hairbrush
        hammer hammock handkerchief hanger harp hat headphones heater helmet hinge hook horn hose hourglass
        invitation iron jar jewel jug juice_jug kettle key keyboard kite knife ladder lamp lantern laptop lens
        letter lever lighter lock locket magazine magnet mallet manual map marble mask mat match medal
        microphone microscope mirror mop mug nail napkin necklace needle net newspaper notebook oar ornament
        oven paddle padlock paintbrush painting pan passport pearl pen pencil perfume phone photograph pillow
        pin pipe pistol pitcher plate pliers plow pot printer projector pump puppet puzzle quilt racket radio
        rake razor receipt recorder remote ribbon ring robe rope rug ruler sail sandals saw scale scarf
        scissors screw screwdriver scroll sculpture seal sewing_machine shawl shears shell shield shovel
        sickle sieve skateboard skates sketchbook skis sled soap speaker spear spoon stamp stapler statue
        stick stool stove strap string suitcase sundial sunglasses sword syringe tablet tambourine tape teapot
        telescope television tennis_ball tent thermometer thermos thimble thread ticket tile timer toaster
        token tongs toolbox toothbrush torch towel toy tray tripod trophy trumpet tube tweezers typewriter
        umbrella uniform vase violin wallet watch watering_can wheel wheelbarrow whip whisk whistle wig wire
        wrench yarn""",
    "clothing": """
        apron belt blazer blouse boots bow_tie bracelet cap cape cardigan cloak coat dress earrings gloves
        gown hat helmet hoodie jacket jeans kilt kimono mask mittens necklace overalls overcoat pajamas
        raincoat robe sandals sari scarf shawl shirt shorts skirt slippers sneakers socks suit sunglasses
        sweater sweatshirt swimsuit tie tunic turban tuxedo vest waistcoat wig""",
    "food": """
        almonds apples apricots asparagus bacon bananas beans beets biscuits blackberries bread broccoli
        butter cabbage cake carrots cashews celery cereal cheese cherries chicken chocolate coconut cookies
        corn crackers cranberries cream cucumber curry dates dumplings eggs fish flour fudge garlic ginger
        grapes ham honey ice_cream jam jelly lamb lasagna lemons lentils lettuce limes lobster mangoes
        maple_syrup marmalade meatballs melon muffins mushrooms mustard noodles nuts olives omelette onions
        oranges oysters pancakes pasta pastries peaches peanuts pears peas pepper pickles pie pineapple pizza
        plums popcorn pork porridge potatoes pudding pumpkin quiche radishes raisins raspberries ravioli rice
        salad salmon salt sandwiches sausages shrimp soup spaghetti spinach steak stew strawberries sugar
        sushi tacos toast tofu tomatoes tuna turkey turnips vinegar waffles walnuts yogurt""",
    "drink": """
        ale beer brandy buttermilk champagne cider cocoa coffee cola cream_soda espresso gin green_tea
        hot_chocolate iced_tea lemonade lime_juice apple_juice orange_juice tomato_juice mead milk
        mineral_water port punch rum sake sherry soda tea tequila tonic_water vodka water whiskey wine""",
    "animal": """
        alligator ant antelope ape armadillo badger bat bear beaver bee beetle bird bison boar buffalo
        butterfly camel canary cat caterpillar chameleon cheetah cobra cow coyote crab crane cricket crocodile
        crow deer dog dolphin donkey dove dragonfly duck eagle eel elephant elk falcon ferret finch flamingo
        fox frog gazelle gecko giraffe goat goldfish goose gorilla grasshopper hamster hare hawk hedgehog
        heron hippo horse hyena iguana jackal jaguar kangaroo kitten koala leopard lion lizard llama lobster
        lynx magpie mole monkey moose mouse mule octopus ostrich otter owl ox panda panther parrot peacock
        pelican penguin pheasant pig pigeon pony porcupine puma puppy python rabbit raccoon rat raven rhino
        robin rooster salmon scorpion seal shark sheep shrew skunk sloth snail snake sparrow spider squirrel
        stork swan tiger toad tortoise trout turkey turtle vulture walrus wasp weasel whale wolf wombat
        woodpecker yak zebra""",
    "pet": """
        beagle budgie bulldog canary cat chameleon chicken cobra cockatoo collie dalmatian dog donkey duck
        falcon ferret frog gecko goat goldfish goose greyhound hamster hawk hedgehog horse iguana kitten
        lizard llama mouse owl parrot pig pigeon pony poodle puppy python rabbit raccoon rat raven rooster
        sheep snail snake spider squirrel swan tarantula terrier toad tortoise turtle""",
    "job": """
        accountant actor ambassador architect artist astronaut astronomer athlete baker banker barber
        biologist blacksmith bookkeeper botanist boxer brewer bricklayer broker builder butcher butler
        carpenter cashier chef chemist cleaner clerk clown coach composer conductor cook critic curator dancer
        dentist designer detective diplomat doctor dressmaker driver economist editor electrician engineer
        farmer firefighter fisherman florist gardener geologist goldsmith guard guide hairdresser historian
        hunter inspector interpreter jeweler jockey journalist judge juggler lawyer lecturer librarian
        lifeguard linguist locksmith magician mathematician mechanic merchant midwife miller miner minister
        musician nanny notary novelist nurse painter philosopher photographer physician physicist pianist
        pilot plumber poet police_officer porter postman potter priest printer professor programmer
        psychologist publisher ranger receptionist reporter sailor salesman scientist sculptor secretary
        senator sheriff singer soldier statistician surgeon surveyor tailor teacher technician translator
        umpire veterinarian violinist waiter watchmaker weaver welder writer zoologist""",
    "colour": """
        amber azure beige black blue bronze brown burgundy charcoal cobalt copper coral cream crimson cyan
        dark_blue dark_green emerald gold gray green indigo ivory jade khaki lavender light_blue light_green
        lilac lime magenta maroon mint navy ochre olive orange peach pink plum purple red rose ruby rust
        salmon scarlet silver tan teal turquoise violet white yellow""",
    "material": """
        aluminum amber bamboo bone brass brick bronze canvas cardboard cedar ceramic clay concrete copper cork
        cotton crystal ebony felt flannel glass gold granite horn iron ivory jade lace leather limestone linen
        mahogany maple marble nickel nylon oak paper pearl pewter pine plaster plastic platinum plywood
        porcelain quartz rubber sandstone satin silk silver slate steel stone straw teak tin titanium velvet
        walnut wax wicker wood wool zinc""",
    "instrument": """
        accordion bagpipes banjo bassoon bells bugle cello clarinet cornet cymbals double_bass drums fiddle
        flute french_horn gong guitar harmonica harp harpsichord horn keyboard lute lyre mandolin marimba oboe
        organ piano piccolo recorder saxophone sitar synthesizer tambourine timpani triangle trombone trumpet
        tuba ukulele viola violin vibraphone xylophone zither""",
    "hobby": """
        acting archery astronomy baking beekeeping birdwatching boating bowling calligraphy camping canoeing
        carpentry chess climbing cooking crocheting cycling dancing darts debating drawing embroidery fencing
        fishing gardening genealogy golf hiking hunting jogging juggling karate kayaking knitting magic
        meditation painting photography poetry pottery puzzles quilting reading rowing running sailing
        sculpture sewing singing skating sketching skiing surfing swimming tennis theatre weaving woodworking
        wrestling writing yoga""",
    "sport": """
        archery badminton baseball basketball billiards bowling boxing canoeing cricket croquet curling
        cycling darts diving fencing football golf gymnastics handball hockey hurling judo karate kayaking
        lacrosse netball polo rowing rugby sailing skating skiing snooker snowboarding soccer softball squash
        surfing swimming table_tennis tennis volleyball water_polo weightlifting wrestling""",
    "language": """
        Albanian Arabic Armenian Basque Bengali Bosnian Breton Bulgarian Burmese Cantonese Catalan Cornish
        Croatian Czech Danish Dutch English Estonian Finnish French Gaelic Galician Georgian German Greek
        Hawaiian Hebrew Hindi Hungarian Icelandic Indonesian Irish Italian Japanese Khmer Korean Kurdish Latin
        Latvian Lithuanian Malay Maltese Mandarin Maori Mongolian Nepali Norwegian Persian Polish Portuguese
        Punjabi Quechua Romanian Russian Sanskrit Serbian Slovak Slovene Somali Spanish Swahili Swedish Tamil
        Telugu Thai Tibetan Turkish Ukrainian Urdu Vietnamese Welsh Yiddish Yoruba Zulu""",
    "subject": """
        accounting acoustics algebra anatomy anthropology archaeology architecture astronomy astrophysics
        biochemistry biology botany calculus cartography chemistry computing dentistry drama ecology economics
        education electronics engineering entomology ethics film finance forestry genetics geography geology
        geometry grammar history journalism law linguistics literature logic marketing mathematics mechanics
        medicine meteorology music navigation neuroscience nursing nutrition optics philosophy phonetics
        physics physiology politics psychology rhetoric robotics sociology statistics theology zoology""",
    "plant": """
        acacia aloe apple_tree ash aspen azalea bamboo basil beech begonia birch cactus camellia cedar
        cherry_tree chestnut clover crocus cypress daisy dandelion elm eucalyptus fern fig_tree fir geranium
        hawthorn hazel heather hibiscus holly hydrangea iris ivy jasmine juniper larch laurel lavender
        lemon_tree lilac lily lotus magnolia mango_tree maple marigold mint mulberry myrtle oak oleander
        olive_tree orchid oregano palm pansy peony pine poplar poppy primrose redwood rose rosemary sage
        spruce sunflower sycamore thyme tulip violet walnut_tree willow wisteria yew""",
    "vehicle": """
        airplane ambulance barge bicycle boat bulldozer bus cab canoe caravan carriage cart chariot coach
        convertible ferry forklift fire_engine glider gondola helicopter hot_air_balloon jeep jet kayak
        limousine lorry minibus moped motorboat motorcycle pickup plane raft rickshaw rowboat sailboat scooter
        sedan ship sled sleigh snowmobile speedboat steamboat stagecoach streetcar submarine subway tank taxi
        tractor trailer train tram tricycle trolley truck van wagon yacht zeppelin""",
    "container": """
        bag barrel basin basket bathtub bin bookcase bottle bowl box briefcase bucket cabinet cage can carton
        case casket chest cooler crate cupboard drawer dresser envelope filing_cabinet folder freezer fridge
        glass_case hamper handbag jar jug kettle locker lunchbox mailbox oven pail pitcher pocket pot pouch
        purse rucksack sack safe satchel shelf sink suitcase tank tin toolbox tray trunk tub urn vase vault
        wallet wardrobe""",
    "company": """
        Acorn Altair Apex Arcadia Atlas Avalon Beacon Blue_Door Bluebird Borealis Brightwater Cascade Centaur
        Clearview Comet Compass Copperfield Crestview Delphi Eastgate Eclipse Ember Evergreen Fairway Firefly
        Foxglove Galileo Goldfinch Granite Greenfield Halcyon Harvest Highland Horizon Ironside Juniper
        Kestrel Keystone Lakeside Lantern Longbow Luna_Labs Meridian Midland Monarch Moonstone Nimbus
        Northgate Northwind Oakwood Octavia Orion Osprey Pegasus Pinnacle Polaris Quantum Quartz Red_Gate
        Redwood Riverside Sapphire Seabird Sentinel Silver_Fox Solaris Southgate Springfield Sterling Summit
        Sunrise Tempest Titan Trident Vanguard Vertex Vista Westgate Whitestone Wildwood Zenith Zephyr""",
    "music": """
        bluegrass blues calypso chamber_music choral country disco electronic flamenco folk funk fusion gospel
        grunge heavy_metal hip_hop house jazz klezmer latin mambo marches motown new_wave opera orchestral
        polka pop punk ragtime rap reggae rock salsa samba ska soul swing symphonic tango techno trance
        waltzes""",
    "shape": """
        arch bell bow box circle cone cross crown crescent cube cylinder diamond dome egg fan feather heart
        helix hexagon hook horseshoe key kite leaf letter oval pear pyramid rectangle ring rose semicircle
        shell shield snake sphere spiral square star teardrop triangle tube wave wedge wheel wing""",
    "kin": """
        aunt brother cousin daughter father grandfather grandmother grandson mother nephew niece sister son
        stepbrother stepfather stepmother stepsister uncle twin godfather godmother neighbor boss husband wife
        roommate tutor landlord employer colleague rival classmate teammate partner guardian
        apprentice assistant bodyguard doctor lawyer teacher""",
    "virtue": """
        ambitious anxious brave calm careful careless charming cheerful clever clumsy confident creative cruel
        curious daring eager energetic famous fearless friendly funny generous gentle gloomy greedy grumpy
        happy helpful honest humble impatient jealous kind lazy lonely loyal modest nervous noisy patient
        playful polite popular proud quiet reckless rude sad selfish sensible serious shy silent sleepy sly
        stubborn talkative thoughtful timid tired wise witty""",
}

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_HOURS = "morning noon afternoon evening night".split()
_ADJECTIVES = """
    Broken Crystal Dark Distant Empty Final Frozen Golden Hidden Iron Last Lost Painted Paper Quiet Red Secret
    Silent""".split()
_NOUNS = """
    Bridge City Crown Dream Empire Fire Forest Garden Horse House Island Journey Moon Mountain Night River
    Road Sea Storm""".split()
_CONSONANTS = "BCDFGHJKLMNPRSTVWXZ"

# Numbers and the like are finite pools too. They stay short, for three pieces have to hold them.
_GENERATED = {
    "number": [str(n) for n in range(3, 1000)],
    "age": [str(n) for n in range(5, 100)],
    "year": [str(n) for n in range(1800, 2031)],
    "price": [f"{n} {unit}" for n, unit in product(range(2, 400), ("dollars", "euros", "pounds"))],
    "date": [f"{month} {day}" for month, day in product(_MONTHS, range(1, 29))],
    "time": [f"{hour}:{minute:02d}" for hour, minute in product(range(1, 13), range(0, 60, 5))],
    "weekday": [f"{day} {hour}" for day, hour in product(_DAYS, _HOURS)],
    "code": [str(n) for n in range(1003, 10000, 7)]
    + [f"{a}{n}{b}" for a, n, b in product(_CONSONANTS, range(2, 10), _CONSONANTS)],
    "title": [f"{adjective} {noun}" for adjective, noun in product(_ADJECTIVES, _NOUNS)],
}
_POOLS = {kind: [word.replace("_", " ") for word in words.split()] for kind, words in _LISTED.items()} | _GENERATED
_POOLS["site"] = _POOLS["room"] + _POOLS["place"]
KINDS = tuple(_POOLS)


def side(word: str) -> str:
    """Which split a word belongs to, "train" (four in five) or "eval"; case makes no difference."""
    return "eval" if zlib.crc32(word.lower().encode()) % 5 == 0 else "train"


@cache
def pool(kind: str, split: str) -> tuple[str, ...]:
    """The words of one kind that belong to one split.

    Args:
        kind: a pool name from `KINDS`.
        split: "train" or "eval"; no word is in both.

    Raises:
        ValueError: for an unknown kind or split.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no word pool {kind!r}: choose one of {', '.join(KINDS)}.")
    if split not in ("train", "eval"):
        raise ValueError(f'The split is "train" or "eval", not {split!r}.')
    return tuple(word for word in dict.fromkeys(_POOLS[kind]) if side(word) == split)
