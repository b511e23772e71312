/**
 * What a cluster of each class of the benchmark's sets may be called, written down before any vote was looked at.
 *
 * Each class has the WordNet 3.1 synsets of what its pictures show. A name is right where its synset is one of them or a
 * hypernym of one, along any of WordNet's paths; a kind of it (an African elephant for a folder of elephants) is not, as
 * the folder does not say so. Classes with an empty list show what WordNet has no noun for: any name is wrong there.
 */
export const ACCEPTABLE: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'caltech-30': {
    accordion: ['accordion.n.01'],
    anchor: ['anchor.n.01'],
    barrel: ['barrel.n.02'],
    beaver: ['beaver.n.07'],
    bonsai: ['bonsai.n.01'],
    brontosaurus: ['apatosaur.n.01'],
    butterfly: ['butterfly.n.01'],
    cannon: ['cannon.n.01', 'cannon.n.02'],
    ceiling_fan: ['electric_fan.n.01'],
    chair: ['chair.n.01'],
    cougar_body: ['cougar.n.01'],
    crab: ['crab.n.01'],
    crocodile: ['crocodile.n.01'],
    cup: ['cup.n.01'],
    dollar_bill: ['dollar.n.02'],
    dragonfly: ['dragonfly.n.01'],
    elephant: ['elephant.n.01'],
    euphonium: ['euphonium.n.01'],
    ferry: ['ferry.n.01'],
    flamingo_head: ['flamingo.n.01'],
    // A gerenuk is also called the giraffe gazelle; WordNet puts it beside the gazelles.
    gerenuk: ['gerenuk.n.01', 'gazelle.n.01'],
    grand_piano: ['grand_piano.n.01'],
    headphone: ['earphone.n.01'],
    helicopter: ['helicopter.n.01'],
    inline_skate: ['in-line_skate.n.01'],
    kangaroo: ['kangaroo.n.01'],
    // Nearly all of them stand on tables.
    lamp: ['table_lamp.n.01'],
    leopards: ['leopard.n.02'],
    llama: ['llama.n.01'],
    // The folder has the flower.
    lotus: ['lotus.n.01', 'flower.n.01', 'flower.n.02'],
  },
  // Every picture shows a carton in somebody's hand, before a shelf; what is in it is a food or a drink.
  cartons: Object.fromEntries(
    [
      ...['alpro-blueberry-soyghurt', 'alpro-fresh-soy-milk', 'alpro-shelf-soy-milk', 'alpro-vanilla-soyghurt'],
      ...['arla-ecological-medium-fat-milk', 'arla-ecological-sour-cream', 'arla-lactose-medium-fat-milk'],
      ...['arla-medium-fat-milk', 'arla-mild-vanilla-yoghurt', 'arla-natural-mild-low-fat-yoghurt'],
      ...['arla-natural-yoghurt', 'arla-sour-cream', 'arla-sour-milk', 'arla-standard-milk', 'bravo-apple-juice'],
      ...['bravo-orange-juice', 'garant-ecological-medium-fat-milk', 'garant-ecological-standard-milk'],
      ...['god-morgon-apple-juice', 'god-morgon-orange-juice', 'god-morgon-orange-red-grapefruit-juice'],
      ...['god-morgon-red-grapefruit-juice', 'oatly-natural-oatghurt', 'oatly-oat-milk', 'tropicana-apple-juice'],
      ...['tropicana-golden-grapefruit', 'tropicana-juice-smooth', 'tropicana-mandarin-morning'],
      ...['valio-vanilla-yoghurt', 'yoggi-strawberry-yoghurt', 'yoggi-vanilla-yoghurt'],
    ].map((name) => [name, ['carton.n.02', 'foodstuff.n.02']]),
  ),
  electronics: {
    capacitor: ['capacitor.n.01'],
    diode: ['diode.n.02'],
    'integrated-circuit': ['integrated_circuit.n.01', 'chip.n.07'],
    resistor: ['resistor.n.01'],
    transistor: ['transistor.n.01'],
  },
  'euro-coins': Object.fromEntries(
    ['fifty-cent', 'five-cent', 'one-cent', 'one-euro', 'ten-cent', 'twenty-cent', 'two-cent', 'two-euro'].map(
      (name) => [name, ['coin.n.01']],
    ),
  ),
  // WordNet has dandelions under herbs, roses under shrubs and tulips under bulbous plants; the folders are of their flowers.
  flowers: {
    daisy: ['daisy.n.01', 'flower.n.02'],
    dandelion: ['dandelion.n.01', 'flower.n.01', 'flower.n.02'],
    roses: ['rose.n.01', 'flower.n.01', 'flower.n.02'],
    sunflowers: ['sunflower.n.01', 'flower.n.02'],
    tulips: ['tulip.n.01', 'flower.n.01', 'flower.n.02'],
  },
  household: {
    chair: ['chair.n.01'],
    // Desks, screens and laptops at people's homes.
    computer: ['computer.n.01', 'personal_computer.n.01'],
    cup: ['cup.n.01'],
    // Buses, trams and trains.
    'public-transport': ['public_transport.n.01', 'vehicle.n.01'],
  },
  monkeys: {
    'bald-uakari': ['uakari.n.01'],
    'black-headed-night-monkey': ['douroucouli.n.01'],
    'common-squirrel-monkey': ['squirrel_monkey.n.01'],
    'japanese-macaque': ['macaque.n.01'],
    'mantled-howler': ['howler_monkey.n.01'],
    'nilgiri-langur': ['langur.n.01'],
    'patas-monkey': ['patas.n.01'],
    'pygmy-marmoset': ['pygmy_marmoset.n.01'],
    'silvery-marmoset': ['marmoset.n.01'],
    'white-headed-capuchin': ['capuchin.n.02'],
  },
  'pc-parts': {
    // The box of a desktop computer, most of them open, with what is in it.
    case: ['desktop_computer.n.01'],
    cpu: ['central_processing_unit.n.01', 'chip.n.07'],
    gpu: ['circuit_board.n.01'],
    hdd: ['hard_disc.n.01'],
    headset: ['headset.n.01'],
    keyboard: ['computer_keyboard.n.01'],
    monitor: ['monitor.n.04', 'monitor.n.05', 'screen.n.03'],
    motherboard: ['circuit_board.n.01'],
    mouse: ['mouse.n.04'],
    ram: ['random-access_memory.n.01', 'circuit_board.n.01'],
  },
  plankton: {
    'acantharia-protist': ['protozoan.n.01'],
    'acantharia-protist-halo': ['protozoan.n.01'],
    'appendicularian-s-shape': ['tunicate.n.01'],
    'appendicularian-slight-curve': ['tunicate.n.01'],
    'appendicularian-straight': ['tunicate.n.01'],
    'chaetognath-non-sagitta': ['arrowworm.n.01'],
    'chaetognath-sagitta': ['arrowworm.n.01'],
    'chordate-type1': ['chordate.n.01'],
    'copepod-calanoid': ['copepod.n.01'],
    'copepod-calanoid-eggs': ['copepod.n.01'],
    'copepod-calanoid-eucalanus': ['copepod.n.01'],
    'copepod-calanoid-flatheads': ['copepod.n.01'],
    'copepod-calanoid-frillyantennae': ['copepod.n.01'],
    'copepod-calanoid-large': ['copepod.n.01'],
    'copepod-calanoid-large-side-antennatucked': ['copepod.n.01'],
    'copepod-calanoid-small-longantennae': ['copepod.n.01'],
    'copepod-cyclopoid-oithona': ['copepod.n.01'],
    'copepod-cyclopoid-oithona-eggs': ['copepod.n.01'],
    'ctenophore-cestid': ['ctenophore.n.01'],
    'diatom-chain-string': ['diatom.n.01'],
    'diatom-chain-tube': ['diatom.n.01'],
    'echinoderm-larva-pluteus-early': ['echinoderm.n.01'],
    'echinoderm-larva-pluteus-typec': ['echinoderm.n.01'],
    'echinoderm-larva-pluteus-urchin': ['echinoderm.n.01'],
    'echinoderm-larva-seastar-bipinnaria': ['echinoderm.n.01'],
    'echinoderm-larva-seastar-brachiolaria': ['echinoderm.n.01'],
    'echinoderm-seacucumber-auricularia-larva': ['echinoderm.n.01'],
    euphausiids: ['krill.n.01'],
    'fecal-pellet': [],
    'fish-larvae-medium-body': ['fish.n.01'],
    'fish-larvae-myctophids': ['fish.n.01'],
    'fish-larvae-thin-body': ['fish.n.01'],
    // The free-swimming form of hydrozoans: people call them jellyfish.
    'hydromedusae-aglaura': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
    'hydromedusae-bell-and-tentacles': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
    'hydromedusae-haliscera': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
    'hydromedusae-narco-young': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
    'hydromedusae-narcomedusae': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
    'hydromedusae-shapea': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
    'hydromedusae-shapea-sideview-small': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
    'hydromedusae-shapeb': ['jellyfish.n.02', 'hydrozoan.n.01', 'medusa.n.02'],
  },
  // Land from above.
  satellite: {
    field: ['field.n.01'],
    forest: ['forest.n.02'],
    grass: ['field.n.01'],
    industry: [],
    parking: ['parking_lot.n.01'],
    residential: [],
    'river-lake': ['river.n.01', 'lake.n.01'],
  },
  'steel-strip': {
    'finishing-roll-printing': [],
    'iron-sheet-ash': [],
    'oxide-scale-of-plate-system': [],
    'oxide-scale-of-temperature-system': [],
    'red-iron': [],
    'slag-inclusion': [],
    'surface-scratch': [],
  },
  trash: {
    cardboard: ['cardboard.n.01'],
    // Bottles and jars, whole.
    glass: ['bottle.n.01', 'jar.n.01'],
    // Cans, most of them crushed.
    metal: ['can.n.01'],
    paper: ['paper.n.01'],
    // Bottles, cups, lids and bags.
    plastic: ['container.n.01'],
    trash: [],
  },
};

/** Sets of components, parts and defects: one wrong name there is one too many. */
export const STRICT: readonly string[] = ['electronics', 'pc-parts', 'euro-coins', 'steel-strip'];

/** Sets whose classes ImageNet or WordNet has: half of their clusters should be named. */
export const NAMEABLE: readonly string[] = ['caltech-30', 'flowers', 'household', 'monkeys', 'cartons'];
