#include "fake/volumes_data.h"

#include "base/mem.h"

#define LIST(name, ...)                                          \
	static const char *const name##_items[] = {__VA_ARGS__}; \
	const struct volumes_list volumes_data_##name = {name##_items, ARRAY_LEN(name##_items)}

#define PAIRS(name, ...)                                                 \
	static const struct volumes_pair name##_items[] = {__VA_ARGS__}; \
	const struct volumes_pairs volumes_data_##name = {name##_items, ARRAY_LEN(name##_items)}

/* clang-format off: the lists are filled lines, not one word a line. */
LIST(first_names, "Ada", "Adam", "Agnes", "Ahmed", "Aisha", "Alan", "Albert", "Alexander", "Alice",
    "Alma", "Amelia", "Amir", "Ana", "André", "Andrea", "Anna", "Anton", "Arthur", "Astrid",
    "Barbara", "Ben", "Bella", "Bernard", "Björn", "Boris", "Brenda", "Brian", "Bruno", "Camille",
    "Carl", "Carla", "Carmen", "Carol", "Cecilia", "Charles", "Charlotte", "Chloé", "Christine",
    "Clara", "Clemens", "Cora", "Cyril", "Daniel", "Daphne", "David", "Deborah", "Denis", "Diana",
    "Diego", "Dominik", "Donald", "Dora", "Dorothy", "Edgar", "Edith", "Eduardo", "Edward", "Elena",
    "Elias", "Elisabeth", "Ella", "Emil", "Emma", "Enzo", "Eric", "Erika", "Esther", "Eva",
    "Fatima", "Felix", "Fiona", "Flora", "Florian", "François", "Frances", "Frank", "Franz",
    "Frida", "Gabriel", "George", "Gerda", "Giulia", "Grace", "Greta", "Gustav", "Hannah", "Harold",
    "Hassan", "Hector", "Helen", "Henry", "Hiro", "Hugo", "Ida", "Ines", "Ingrid", "Irene", "Isaac",
    "Isabel", "Ivan", "Ivy", "Jack", "Jacob", "James", "Jan", "Jane", "Jasmin", "Jean", "Joan",
    "Johann", "John", "Jonas", "Jorge", "Josef", "José", "Judith", "Julia", "Julian", "Karen",
    "Karim", "Karl", "Kate", "Kenji", "Klara", "Konrad", "Kurt", "Laila", "Lars", "Laura", "Lea",
    "Leo", "Leonie", "Lily", "Linda", "Lisa", "Louis", "Lucas", "Lucia", "Luis", "Magda", "Marcel",
    "Margaret", "Maria", "Marie", "Mark", "Martha", "Martin", "Mary", "Mateo", "Matilda", "Max",
    "Maya", "Mei", "Michael", "Mila", "Milan", "Mohamed", "Mona", "Nadia", "Nancy", "Naomi",
    "Nathan", "Nicolas", "Nina", "Noah", "Nora", "Olaf", "Oliver", "Olivia", "Omar", "Oscar",
    "Otto", "Pablo", "Patricia", "Paul", "Paula", "Pedro", "Peter", "Philip", "Pia", "Rachel",
    "Rafael", "Ravi", "René", "Rita", "Robert", "Rosa", "Rose", "Ruth", "Samuel", "Sara",
    "Sébastien", "Simon", "Sofia", "Sonja", "Stefan", "Stella", "Susan", "Sven", "Tara", "Theo",
    "Theresa", "Thomas", "Tim", "Tomás", "Ulrich", "Ursula", "Valentin", "Vera", "Victor", "Viola",
    "Walter", "Wanda", "William", "Yara", "Yusuf", "Yvonne", "Zoë");

LIST(last_names, "Abbott", "Adams", "Aguilar", "Ahmad", "Allen", "Almeida", "Andersen", "Anderson",
    "Arnold", "Bach", "Bailey", "Baker", "Barnes", "Bauer", "Becker", "Bell", "Bennett", "Berg",
    "Bernard", "Bianchi", "Bishop", "Black", "Böhm", "Bosch", "Boyd", "Braun", "Brooks", "Brown",
    "Bruno", "Burke", "Butler", "Campbell", "Cardoso", "Carlson", "Carter", "Castillo", "Chapman",
    "Chen", "Clark", "Cohen", "Cole", "Collins", "Conti", "Cook", "Cooper", "Costa", "Cox", "Cruz",
    "Dahl", "Davies", "Dawson", "Delgado", "Dias", "Dietrich", "Dixon", "Dubois", "Duncan",
    "Dupont", "Edwards", "Eklund", "Elliott", "Engel", "Eriksson", "Evans", "Farah", "Ferrari",
    "Fischer", "Fisher", "Fleming", "Fletcher", "Fontaine", "Foster", "Fox", "Frank", "Fraser",
    "Friedrich", "Gallo", "Garcia", "Gardner", "Gibson", "Gomez", "González", "Gordon", "Graf",
    "Graham", "Grant", "Gray", "Green", "Gruber", "Gupta", "Haas", "Hall", "Hansen", "Harper",
    "Harris", "Hartmann", "Hayes", "Henry", "Herrera", "Hill", "Hoffmann", "Holm", "Horn", "Howard",
    "Huber", "Hughes", "Hunter", "Ibrahim", "Ito", "Jackson", "Jansen", "Jensen", "Johansson",
    "Johnson", "Jones", "Joshi", "Kaiser", "Kelly", "Khan", "Kim", "King", "Klein", "Koch", "König",
    "Kowalski", "Kraus", "Kumar", "Lambert", "Lang", "Larsen", "Laurent", "Lee", "Lefèvre",
    "Lehmann", "Lewis", "Lindqvist", "Lopez", "Ludwig", "Lund", "Maier", "Marino", "Marsh",
    "Martin", "Mason", "Mayer", "Mendes", "Meyer", "Mills", "Moore", "Moreau", "Moreno", "Moretti",
    "Morgan", "Müller", "Murphy", "Myers", "Nakamura", "Nelson", "Neumann", "Nguyen", "Nielsen",
    "Novak", "Núñez", "O'Brien", "O'Connor", "Olsen", "Ortega", "Owens", "Palmer", "Park", "Parker",
    "Patel", "Pereira", "Peters", "Petit", "Pfeiffer", "Porter", "Price", "Ramos", "Reed", "Reyes",
    "Ricci", "Richter", "Rivera", "Roberts", "Robinson", "Romano", "Rossi", "Roth", "Rousseau",
    "Russell", "Santos", "Sato", "Schmidt", "Schneider", "Schröder", "Scott", "Shah", "Sharp",
    "Silva", "Singh", "Smith", "Sørensen", "Stone", "Suzuki", "Tanaka", "Taylor", "Thomas",
    "Torres", "Turner", "Vargas", "Vogel", "Wagner", "Walker", "Wang", "Weber", "White", "Wilson",
    "Wolf", "Wright", "Yilmaz", "Young", "Zimmermann");

LIST(prefixes, "Dr.", "Miss", "Mr.", "Mrs.", "Ms.", "Mx.", "Prof.");

LIST(cities, "Aldersgate", "Amberville", "Ashford", "Aspen Falls", "Baker's Mill", "Bayview",
    "Beaverton", "Birchwood", "Blackwater", "Blue Harbour", "Bramblewick", "Briarcliff",
    "Bridgeport", "Brookfield", "Burrow Hill", "Cedar Creek", "Chesterfield", "Clearwater",
    "Cloverdale", "Coldbrook", "Copper Bay", "Cottonwood", "Cranford", "Crestview",
    "Crystal Springs", "Dunmore", "Eagle Rock", "Eastbrook", "Edgewater", "Elmhurst", "Evergreen",
    "Fairhaven", "Fairview", "Falcon Ridge", "Fernley", "Fox Hollow", "Foxborough", "Freeport",
    "Frostburg", "Glenbrook", "Glendale", "Granite Falls", "Grassmere", "Greenfield", "Greystone",
    "Hampton", "Harewood", "Hartfield", "Haverhill", "Hazelton", "Highbury", "Hillcrest",
    "Hollybrook", "Hopewell", "Ironwood", "Juniper Flats", "Kestrel Bay", "Kingsbridge", "Lakeview",
    "Lavender Hill", "Leverton", "Lindenau", "Little Warren", "Longmeadow", "Maple Grove",
    "Marigold", "Meadowbrook", "Middleton", "Millbrook", "Milford", "Mossley", "New Haven",
    "Northfield", "Oak Ridge", "Oakdale", "Old Harbour", "Orchard Park", "Otterburn",
    "Pebble Beach", "Pinehurst", "Poplar Bluff", "Quarry Hill", "Rabbit Run", "Ravensworth",
    "Redwood", "Ridgefield", "River Falls", "Riverside", "Rockport", "Rosewood", "Saint-Élie",
    "Salem", "Sandhurst", "Shady Grove", "Silverlake", "Springfield", "Stonebridge", "Summerfield",
    "Sunnyvale", "Thornbury", "Timberlake", "Valley View", "Waterford", "Westbrook", "Whitby",
    "Willow Creek", "Winterbourne", "Woodstock", "Yarrow", "Zürn");

LIST(streets, "Acorn", "Alder", "Anchor", "Apple", "Ash", "Bank", "Beech", "Birch", "Bishop",
    "Bridge", "Brook", "Cedar", "Chapel", "Cherry", "Chestnut", "Church", "Clover", "College",
    "Cooper", "Dale", "Elm", "Fern", "Forest", "Garden", "Grange", "Green", "Grove", "Harbour",
    "Hawthorn", "Hazel", "High", "Hill", "Holly", "Ivy", "Jasmine", "Juniper", "King", "Lake",
    "Laurel", "Lime", "Linden", "Maple", "Market", "Meadow", "Mill", "Oak", "Orchard", "Park",
    "Pine", "Poplar", "Queen", "River", "Rose", "Rowan", "School", "Spring", "Station", "Sunset",
    "Tower", "Union", "Valley", "Vine", "Walnut", "Warren", "Washington", "Willow");

LIST(street_suffixes, "Avenue", "Close", "Court", "Drive", "Lane", "Place", "Road", "Row", "Square",
    "Street", "Terrace", "Way");

LIST(words, "able", "about", "above", "across", "after", "again", "against", "air", "along",
    "always", "among", "animal", "answer", "apple", "around", "ask", "autumn", "away", "bag",
    "ball", "basket", "beach", "because", "before", "begin", "behind", "bell", "below", "beside",
    "better", "between", "bird", "boat", "book", "both", "bottle", "box", "branch", "bread",
    "bridge", "bright", "bring", "brown", "build", "burrow", "button", "carrot", "carry", "catch",
    "chair", "change", "city", "clean", "clear", "climb", "cloud", "clover", "coat", "cold",
    "colour", "come", "cook", "copper", "corner", "count", "country", "cover", "cross", "cup",
    "dance", "dark", "day", "deep", "dinner", "dish", "door", "down", "draw", "dream", "drive",
    "early", "earth", "east", "easy", "empty", "even", "evening", "every", "face", "fall", "farm",
    "fast", "field", "find", "fire", "first", "fish", "floor", "flower", "follow", "forest",
    "forget", "fresh", "friend", "full", "garden", "gate", "gentle", "give", "glass", "gold",
    "grass", "great", "green", "ground", "grow", "half", "hand", "happy", "hare", "hear", "heavy",
    "hedge", "high", "hill", "hold", "home", "hop", "horse", "house", "idea", "island", "jump",
    "keep", "key", "kind", "kitchen", "know", "ladder", "lake", "lamp", "large", "late", "laugh",
    "leaf", "learn", "letter", "light", "listen", "little", "long", "look", "maple", "market",
    "meadow", "meet", "milk", "mirror", "moon", "morning", "mountain", "move", "music", "narrow",
    "near", "nest", "never", "night", "north", "number", "ocean", "often", "open", "orange",
    "other", "over", "paper", "path", "people", "picture", "plain", "plant", "play", "pocket",
    "pond", "queen", "question", "quick", "quiet", "rabbit", "rain", "reach", "read", "ready",
    "river", "road", "roof", "room", "round", "run", "sail", "salt", "sand", "school", "sea",
    "second", "seed", "seven", "shade", "shape", "ship", "short", "silver", "simple", "sing",
    "sleep", "slow", "small", "smile", "snow", "soft", "song", "south", "spring", "star", "stone",
    "story", "street", "summer", "sun", "table", "tail", "talk", "tall", "teach", "tell", "thick",
    "thin", "think", "tree", "under", "until", "valley", "visit", "voice", "walk", "wall", "warm",
    "water", "wheel", "white", "wide", "wild", "wind", "window", "winter", "wish", "wood", "yellow",
    "young");

LIST(products, "Alarm Clock", "Backpack", "Baking Tray", "Bath Towel", "Beach Ball", "Bicycle Bell",
    "Blanket", "Bookshelf", "Bread Knife", "Camping Stove", "Candle", "Carrot Cake", "Ceramic Mug",
    "Chess Set", "Coat Hook", "Coffee Grinder", "Coffee Pot", "Colour Pencils", "Cotton Shirt",
    "Cutting Board", "Desk Lamp", "Dish Rack", "Door Mat", "Egg Timer", "Espresso Cup",
    "Flower Pot", "Frying Pan", "Garden Hose", "Garden Shears", "Hair Brush", "Hand Cream",
    "Headphones", "Herbal Tea", "Hiking Boots", "Kettle", "Keyboard", "Kitchen Scale",
    "Leather Belt", "Linen Trousers", "Lunch Box", "Mirror", "Notebook", "Oak Table",
    "Office Chair", "Olive Oil", "Picture Frame", "Pillow", "Pocket Torch", "Rain Jacket",
    "Reading Glasses", "Rubber Duck", "Running Shoes", "Salad Bowl", "Screwdriver Set", "Seed Box",
    "Silk Scarf", "Sleeping Bag", "Soup Ladle", "Steel Bottle", "Straw Hat", "Sun Cream",
    "Swim Goggles", "Tape Measure", "Teapot", "Tent", "Umbrella", "USB Cable", "Vase", "Wall Clock",
    "Watering Can", "Wool Socks", "Writing Desk", "Yoga Mat");

LIST(company_suffixes, "AB", "AG", "and Daughters", "and Partners", "and Sons", "Co.", "Group",
    "GmbH", "Inc.", "Limited", "LLC", "Ltd.", "PLC", "S.A.", "S.p.A.");

LIST(jobs, "Accountant", "Actor", "Archaeologist", "Architect", "Archivist", "Astronomer", "Baker",
    "Beekeeper", "Biologist", "Bookbinder", "Bookseller", "Brewer", "Bus Driver", "Carpenter",
    "Cartographer", "Chef", "Chemist", "Civil Engineer", "Conservator", "Dancer", "Data Engineer",
    "Dentist", "Designer", "Dietitian", "Editor", "Electrician", "Farmer", "Firefighter", "Florist",
    "Forester", "Gardener", "Geologist", "Glassblower", "Historian", "Illustrator", "Interpreter",
    "Jeweller", "Journalist", "Judge", "Lawyer", "Librarian", "Locksmith", "Mathematician",
    "Mechanic", "Midwife", "Miller", "Musician", "Notary", "Nurse", "Optician", "Paramedic",
    "Pharmacist", "Photographer", "Physicist", "Pilot", "Plumber", "Potter", "Printer", "Producer",
    "Psychologist", "Receptionist", "Roofer", "Sailor", "Sculptor", "Social Worker",
    "Software Engineer", "Statistician", "Surgeon", "Surveyor", "Tailor", "Teacher",
    "Technical Writer", "Translator", "Vet", "Waiter", "Watchmaker", "Welder", "Zoologist");

LIST(colors, "amber", "apricot", "aqua", "azure", "beige", "black", "blue", "bronze", "brown",
    "coral", "crimson", "cyan", "emerald", "fuchsia", "gold", "grey", "green", "indigo", "ivory",
    "jade", "khaki", "lavender", "lilac", "lime", "magenta", "maroon", "mauve", "mint", "navy",
    "ochre", "olive", "orange", "peach", "pink", "plum", "purple", "red", "rose", "ruby", "salmon",
    "scarlet", "silver", "tan", "teal", "turquoise", "violet", "white", "yellow");

LIST(user_agents,
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/125.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    "curl/8.8.0", "Wget/1.24.5", "python-requests/2.32.3", "Go-http-client/2.0");

LIST(mime_types, "application/gzip", "application/json", "application/octet-stream",
    "application/pdf", "application/sql", "application/xml", "application/zip", "audio/flac",
    "audio/mpeg", "audio/ogg", "font/woff2", "image/gif", "image/jpeg", "image/png",
    "image/svg+xml", "image/webp", "text/calendar", "text/css", "text/csv", "text/html",
    "text/markdown", "text/plain", "video/mp4", "video/webm");

LIST(file_extensions, "avi", "bmp", "css", "csv", "flac", "gif", "html", "jpg", "json", "md", "mp3",
    "mp4", "odt", "pdf", "png", "svg", "txt", "wav", "webp", "xml", "zip");

LIST(timezones, "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi",
    "America/Bogota", "America/Chicago", "America/Denver", "America/Halifax", "America/Lima",
    "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Santiago",
    "America/Sao_Paulo", "America/Toronto", "Asia/Bangkok", "Asia/Dubai", "Asia/Hong_Kong",
    "Asia/Jakarta", "Asia/Karachi", "Asia/Kolkata", "Asia/Manila", "Asia/Seoul", "Asia/Shanghai",
    "Asia/Singapore", "Asia/Tokyo", "Atlantic/Reykjavik", "Australia/Perth", "Australia/Sydney",
    "Europe/Amsterdam", "Europe/Athens", "Europe/Berlin", "Europe/Dublin", "Europe/Helsinki",
    "Europe/Istanbul", "Europe/Lisbon", "Europe/London", "Europe/Madrid", "Europe/Paris",
    "Europe/Prague", "Europe/Rome", "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw",
    "Pacific/Auckland", "Pacific/Honolulu");

LIST(locales, "cs_CZ", "da_DK", "de_AT", "de_CH", "de_DE", "el_GR", "en_AU", "en_CA", "en_GB",
    "en_IE", "en_IN", "en_US", "es_ES", "es_MX", "fi_FI", "fr_BE", "fr_CA", "fr_FR", "hi_IN",
    "hu_HU", "it_IT", "ja_JP", "ko_KR", "nb_NO", "nl_NL", "pl_PL", "pt_BR", "pt_PT", "ro_RO",
    "sv_SE", "tr_TR", "uk_UA", "zh_CN");

LIST(adjectives, "Adaptive", "Balanced", "Careful", "Distributed", "Durable", "Effortless",
    "Exchangeable", "Focused", "Friendly", "Future-proof", "Intuitive", "Measured", "Modular",
    "Optimised", "Organic", "Patient", "Reliable", "Resilient", "Robust", "Seamless", "Secure",
    "Streamlined", "Transparent", "Versatile");

LIST(nouns, "access", "alliance", "analytics", "archive", "benchmark", "circuit", "contract",
    "core", "exchange", "firmware", "forecast", "framework", "gateway", "hub", "interface",
    "knowledge", "ledger", "matrix", "methodology", "monitoring", "network", "orchestration",
    "paradigm", "pipeline", "policy", "protocol", "queue", "service", "solution", "strategy",
    "support", "toolkit", "workflow");

LIST(http_methods, "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT");

LIST(emojis, "🐇", "🐰", "🥕", "🌱", "🌿", "🍀", "🌼", "🌍", "🎈", "🎉", "📦", "📨", "🚀", "⭐", "☀️",
    "❤️", "👍", "👋🏽", "🙂", "👩‍🚀");

PAIRS(countries, {"Argentina", "AR"}, {"Australia", "AU"}, {"Austria", "AT"}, {"Bangladesh", "BD"},
    {"Belgium", "BE"}, {"Bolivia", "BO"}, {"Botswana", "BW"}, {"Brazil", "BR"}, {"Bulgaria", "BG"},
    {"Cameroon", "CM"}, {"Canada", "CA"}, {"Chile", "CL"}, {"China", "CN"}, {"Colombia", "CO"},
    {"Costa Rica", "CR"}, {"Croatia", "HR"}, {"Cyprus", "CY"}, {"Czechia", "CZ"},
    {"Côte d'Ivoire", "CI"}, {"Denmark", "DK"}, {"Ecuador", "EC"}, {"Egypt", "EG"},
    {"Estonia", "EE"}, {"Ethiopia", "ET"}, {"Fiji", "FJ"}, {"Finland", "FI"}, {"France", "FR"},
    {"Germany", "DE"}, {"Ghana", "GH"}, {"Greece", "GR"}, {"Hungary", "HU"}, {"Iceland", "IS"},
    {"India", "IN"}, {"Indonesia", "ID"}, {"Ireland", "IE"}, {"Italy", "IT"}, {"Jamaica", "JM"},
    {"Japan", "JP"}, {"Jordan", "JO"}, {"Kenya", "KE"}, {"Latvia", "LV"}, {"Lithuania", "LT"},
    {"Luxembourg", "LU"}, {"Malaysia", "MY"}, {"Malta", "MT"}, {"Mexico", "MX"}, {"Morocco", "MA"},
    {"Namibia", "NA"}, {"Nepal", "NP"}, {"Netherlands", "NL"}, {"New Zealand", "NZ"},
    {"Nigeria", "NG"}, {"Norway", "NO"}, {"Pakistan", "PK"}, {"Panama", "PA"}, {"Peru", "PE"},
    {"Philippines", "PH"}, {"Poland", "PL"}, {"Portugal", "PT"}, {"Romania", "RO"},
    {"Rwanda", "RW"}, {"Senegal", "SN"}, {"Singapore", "SG"}, {"Slovakia", "SK"},
    {"Slovenia", "SI"}, {"South Africa", "ZA"}, {"South Korea", "KR"}, {"Spain", "ES"},
    {"Sri Lanka", "LK"}, {"Sweden", "SE"}, {"Switzerland", "CH"}, {"Tanzania", "TZ"},
    {"Thailand", "TH"}, {"Tunisia", "TN"}, {"Türkiye", "TR"}, {"Uganda", "UG"}, {"Ukraine", "UA"},
    {"United Kingdom", "GB"}, {"United States", "US"}, {"Uruguay", "UY"}, {"Vietnam", "VN"},
    {"Zambia", "ZM"});

PAIRS(states, {"Alabama", "AL"}, {"Alaska", "AK"}, {"Arizona", "AZ"}, {"Arkansas", "AR"},
    {"California", "CA"}, {"Colorado", "CO"}, {"Connecticut", "CT"}, {"Delaware", "DE"},
    {"Florida", "FL"}, {"Georgia", "GA"}, {"Hawaii", "HI"}, {"Idaho", "ID"}, {"Illinois", "IL"},
    {"Indiana", "IN"}, {"Iowa", "IA"}, {"Kansas", "KS"}, {"Kentucky", "KY"}, {"Louisiana", "LA"},
    {"Maine", "ME"}, {"Maryland", "MD"}, {"Massachusetts", "MA"}, {"Michigan", "MI"},
    {"Minnesota", "MN"}, {"Mississippi", "MS"}, {"Missouri", "MO"}, {"Montana", "MT"},
    {"Nebraska", "NE"}, {"Nevada", "NV"}, {"New Hampshire", "NH"}, {"New Jersey", "NJ"},
    {"New Mexico", "NM"}, {"New York", "NY"}, {"North Carolina", "NC"}, {"North Dakota", "ND"},
    {"Ohio", "OH"}, {"Oklahoma", "OK"}, {"Oregon", "OR"}, {"Pennsylvania", "PA"},
    {"Rhode Island", "RI"}, {"South Carolina", "SC"}, {"South Dakota", "SD"}, {"Tennessee", "TN"},
    {"Texas", "TX"}, {"Utah", "UT"}, {"Vermont", "VT"}, {"Virginia", "VA"}, {"Washington", "WA"},
    {"West Virginia", "WV"}, {"Wisconsin", "WI"}, {"Wyoming", "WY"});

PAIRS(currencies, {"Australian dollar", "AUD"}, {"Brazilian real", "BRL"}, {"Bulgarian lev", "BGN"},
    {"Canadian dollar", "CAD"}, {"Chilean peso", "CLP"}, {"Chinese renminbi", "CNY"},
    {"Czech koruna", "CZK"}, {"Danish krone", "DKK"}, {"Egyptian pound", "EGP"}, {"Euro", "EUR"},
    {"Hong Kong dollar", "HKD"}, {"Hungarian forint", "HUF"}, {"Icelandic króna", "ISK"},
    {"Indian rupee", "INR"}, {"Indonesian rupiah", "IDR"}, {"Japanese yen", "JPY"},
    {"Kenyan shilling", "KES"}, {"Malaysian ringgit", "MYR"}, {"Mexican peso", "MXN"},
    {"New Zealand dollar", "NZD"}, {"Norwegian krone", "NOK"}, {"Philippine peso", "PHP"},
    {"Polish zloty", "PLN"}, {"Pound sterling", "GBP"}, {"Romanian leu", "RON"},
    {"Singapore dollar", "SGD"}, {"South African rand", "ZAR"}, {"South Korean won", "KRW"},
    {"Swedish krona", "SEK"}, {"Swiss franc", "CHF"}, {"Thai baht", "THB"}, {"Turkish lira", "TRY"},
    {"Ukrainian hryvnia", "UAH"}, {"United States dollar", "USD"});

PAIRS(languages, {"Arabic", "ar"}, {"Bengali", "bn"}, {"Chinese", "zh"}, {"Czech", "cs"},
    {"Danish", "da"}, {"Dutch", "nl"}, {"English", "en"}, {"Estonian", "et"}, {"Finnish", "fi"},
    {"French", "fr"}, {"German", "de"}, {"Greek", "el"}, {"Hebrew", "he"}, {"Hindi", "hi"},
    {"Hungarian", "hu"}, {"Icelandic", "is"}, {"Irish", "ga"}, {"Italian", "it"},
    {"Japanese", "ja"}, {"Korean", "ko"}, {"Latvian", "lv"}, {"Lithuanian", "lt"},
    {"Norwegian", "no"}, {"Polish", "pl"}, {"Portuguese", "pt"}, {"Romanian", "ro"},
    {"Slovak", "sk"}, {"Slovenian", "sl"}, {"Spanish", "es"}, {"Swahili", "sw"}, {"Swedish", "sv"},
    {"Tamil", "ta"}, {"Thai", "th"}, {"Turkish", "tr"}, {"Ukrainian", "uk"}, {"Urdu", "ur"},
    {"Vietnamese", "vi"}, {"Welsh", "cy"});
/* clang-format on */

const char *volumes_data_pick(struct rng *r, const struct volumes_list *list)
{
	return list->items[rng_below(r, list->count)];
}

void volumes_data_append(struct rng *r, const struct volumes_list *list, struct buf *out)
{
	buf_append_str(out, volumes_data_pick(r, list));
}

const struct volumes_pair *volumes_data_pick_pair(struct rng *r, const struct volumes_pairs *pairs)
{
	return &pairs->items[rng_below(r, pairs->count)];
}

void volumes_data_append_ascii(const char *word, struct buf *out)
{
	/* U+00C0 to U+00FF, the second byte of their UTF-8 after 0xc3. */
	static const char base[] = "aaaaaaaceeeeiiiidnooooo.ouuuuyts"
				   "aaaaaaaceeeeiiiidnooooo.ouuuuyty";
	for (const unsigned char *p = (const unsigned char *)word; *p != '\0'; p++) {
		unsigned char c = *p;
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			buf_append_char(out, (char)c);
		else if (c == 0xc3 && (p[1] & 0xc0) == 0x80)
			buf_append_char(out, base[*++p - 0x80]);
	}
}
