# ruff: noqa: E501  (a template sentence is one line)
"""Templates of sample problems: journeys, farms and work (the notation: `problem_syntax.py`)."""

TEXT = """
@ drive_two_parts travel
# speed=40..90 hours=2..6 slow=20..39 later=2..5
+ {A} drives {hours} hours at {speed} kilometers an hour. | {A} drives {hours} hours. & The speed is {speed} kilometers an hour.
+ Then {he} drives {later} hours at {slow} kilometers an hour. | Then {A} drives {later} hours. & The later speed is {slow} kilometers an hour.
? How many kilometers does {he} drive in all? | How many kilometers does {A} drive in both parts together?
= first = speed * hours | In the first part {A} drives {=} kilometers.
= second = slow * later | In the second part {he} drives {=} kilometers.
= way = first + second | In all that is {=} kilometers.

@ road_left travel town:TOWN
# way=:speed*hours+left speed=40..100 hours=2..6 left:=20..300
+ It is {way} kilometers to {town}.
+ {A} drives at {speed} kilometers an hour for {hours} hours. | {A} drives at {speed} kilometers an hour. & {A} drives for {hours} hours.
? How many kilometers are left to {town}?
= driven = speed * hours | {A} drives {=} kilometers.
= left = way - driven | To {town} there are {=} kilometers left.

@ fuel_cost travel
# way=:part*parts part=8|10|12|15|20 parts:=6..50 price=2..4 toll=5..30
+ A car needs one liter of fuel for {part} kilometers.
+ {A} drives {way} kilometers.
+ A liter costs {price} dollars, and the road costs {toll} dollars. | A liter costs {price} dollars. & The road costs {toll} dollars.
? How much does the trip cost? | How many dollars does the trip of {A} cost with the road?
= liters = way / part | The car needs {=} liters.
= fuel = liters * price | The fuel costs {=} dollars.
= total = fuel + toll | The trip costs {=} dollars.

@ train_cars travel town:TOWN
# cars=4..12 seats=30..80 people=80..120 board=20..60
: cars * seats > people + board + 1
+ A train to {town} has {cars} cars with {seats} seats each. | The train has {cars} cars. & Each car has {seats} seats.
+ {people} people are on the train and {board} more get on. | {people} people are on the train. & {board} more people get on.
? How many seats are free [then/now]? | How many seats on the train to {town} are free in the end?
= room = cars * seats | The train has {=} seats.
= taken = people + board | The train carries {=} people.
= free = room - taken | There are {=} free seats.

@ bus_stops travel
# start=20..60 on=6..15 off=2..5 stops=3..7
+ A bus starts with {start} people. | At first there are {start} people on the bus.
+ At every stop {on} people get on and {off} people get off. | At every stop {on} people get on. & At every stop {off} people get off.
? How many people are on the bus after {stops} stops?
= change = on - off | At each stop the bus gains {=} people.
= gained = change * stops | After {stops} stops it has gained {=} people.
= people = start + gained | There are {=} people on the bus.
> people = start
> for stop in range(stops):
>     people = people + on
>     people = people - off
> ans = people

@ hike_days travel
# days=3..9 morning=5..15 evening=3..9 whole=:days*(morning+evening)+left left:=5..60
+ A path is {whole} kilometers long.
+ Every day {A} walks {morning} kilometers before noon and {evening} kilometers after noon. | {A} walks {morning} kilometers before noon. & {A} walks {evening} kilometers after noon.
? How many kilometers are left after {days} days? | How many kilometers of the path are left after {days} days?
= daily = morning + evening | Every day {A} walks {=} kilometers.
= walked = daily * days | In {days} days {he} walks {=} kilometers.
= left = whole - walked | There are {=} kilometers left.

@ hotel_rooms travel town:TOWN
# nights=2..9 price=40..120 meals=10..30 gift=11..40
+ {A} stays {nights} nights in a hotel in {town}. | {A} stays {nights} nights.
+ A night costs {price} dollars, and breakfast costs {meals} dollars more. | A night costs {price} dollars. & Breakfast costs {meals} dollars more each night.
+ {He} gets {gift} dollars off the bill. | The bill is {gift} dollars lower.
? How much does {he} pay? | How many dollars does {A} pay for the hotel?
= one = price + meals | One night with breakfast costs {=} dollars.
= stay = one * nights | The stay costs {=} dollars.
= paid = stay - gift | {A} pays {=} dollars.

@ luggage_fee_if travel
# bags=3..14 kilos=8..24 bound=60|80|100 fee=4..9
: bags * kilos != bound
: bags * kilos != bound + 1
+ A group has {bags} bags of {kilos} kilograms each. | The group has {bags} bags. & Each bag weighs {kilos} kilograms.
+ Up to {bound} kilograms are free.
+ Each kilogram above that costs {fee} dollars. | Each kilogram above the free weight costs {fee} dollars.
+ The group also buys a group ticket for 5 dollars. | The group ticket costs 5 dollars.
? How much does the group pay? | How many dollars does the group pay for the bags and the ticket?
= weight = bags * kilos | The bags weigh {=} kilograms.
=[weight > bound] above = weight - bound | That is {=} kilograms too many.
=[weight > bound] cost = above * fee + 5 | The group pays {=} dollars.
=[weight < bound] cost = 5 | That is not above {bound}, so only the ticket costs {cost} dollars.
> weight = bags * kilos
> cost = 5
> if weight > bound:
>     above = weight - bound
>     cost = cost + above * fee
> ans = cost

@ postcards_trip travel
# cities=3..9 each=3..8 price=2..4 stamp=2..4
+ {A} visits {cities} cities and buys {each} postcards in each city. | {A} visits {cities} cities. & In each city {A} buys {each} postcards.
+ A postcard costs {price} dollars and a stamp costs {stamp} dollars. | A postcard costs {price} dollars. & A stamp costs {stamp} dollars.
? How much do the postcards cost with stamps? | How many dollars do all the postcards cost with a stamp for each?
= cards = cities * each | {A} buys {=} postcards.
= one = price + stamp | One postcard with a stamp costs {=} dollars.
= cost = cards * one | All of them cost {=} dollars.

@ boat_rides travel
# people=:boat*rides boat=4..12 rides:=3..12 minutes=8..30 pause=5..20
+ {people} people want to cross a lake.
+ The boat takes {boat} people at a time.
+ One ride takes {minutes} minutes.
+ The captain takes one break of {pause} minutes.
? How many minutes does it take until all are across? | How many minutes does it take to bring all the people across with the break?
= rides = people / boat | The boat makes {=} rides.
= sailing = rides * minutes | The rides take {=} minutes.
= total = sailing + pause | With the break it takes {=} minutes.

@ two_cyclists travel
# fast=15..30 slow=8..14 hours=2..6
: fast > slow + 1
+ {A} and {B} ride bikes in the same direction and start together. | {A} and {B} start together in the same direction.
+ {A} rides {fast} kilometers an hour and {B} rides {slow} kilometers an hour. | {A} rides {fast} kilometers an hour. & {B} rides {slow} kilometers an hour.
? How many kilometers are between them after {hours} hours? | How many kilometers are between {A} and {B} after {hours} hours?
= gain = fast - slow | Each hour {A} gains {=} kilometers.
= between = gain * hours | After {hours} hours there are {=} kilometers between them.

@ flight_hours travel new
# flights=4..20 hours=2..9 ground=2..5 days=2..4
: flights * hours > ground * days
+ A pilot makes {flights} flights this month, and each lasts {hours} hours. | The pilot makes {flights} flights. & Each flight lasts {hours} hours.
+ {He} also trains on the ground on {days} days for {ground} hours. | The pilot trains on {days} days. & Each training lasts {ground} hours.
? How many hours of work is that?
= air = flights * hours | In the air the pilot works {=} hours.
= training = days * ground | The training takes {=} hours.
= work = air + training | All the work takes {=} hours.

@ eggs_week farm bird:BIRD
# birds=5..30 eggs=3..7 broken=4..30 box=6|10|12
: 2 <= boxes <= 60
+ {A} has {birds} {bird}.
+ Each {bird1} lays {eggs} eggs a week.
+ This week {broken} eggs break.
+ {He} packs the good eggs in boxes of {box}. | The good eggs go in boxes of {box}.
? How many boxes does {he} fill this week? | How many boxes does {A} fill with good eggs this week?
= laid = birds * eggs | The {bird} lay {=} eggs.
= good = laid - broken | That leaves {=} good eggs.
= boxes = good / box | {A} fills {=} boxes.

@ milk_cows farm
# cows=5..40 liters=8..25 family=3..20 price=2..4
: cows * liters > family + 1
+ {A} has {cows} cows, and each gives {liters} liters of milk a day. | {A} has {cows} cows. & Each cow gives {liters} liters of milk a day.
+ The family drinks {family} liters and the other milk is sold. | The family drinks {family} liters.
+ A liter sells for {price} dollars.
? How much money does the milk bring each day? | How many dollars does the sold milk bring each day?
= milk = cows * liters | The cows give {=} liters.
= sold = milk - family | {A} sells {=} liters.
= money = sold * price | They bring {=} dollars.

@ animal_legs farm animal:ANIMAL bird:BIRD
# animals=4..30 birds=5..40
+ On a farm there are {animals} {animal} and {birds} {bird}. | There are {animals} {animal}. & There are {birds} {bird}.
+ {A animal} has 4 legs and {a bird} has 2 legs. | {A animal} has 4 legs. & {A bird} has 2 legs.
? How many legs do they have together? | How many legs do the {animal} and the {bird} have together?
= four = animals * 4 | The {animal} have {=} legs.
= two = birds * 2 | The {bird} have {=} legs.
= legs = four + two | Together they have {=} legs.

@ hay_winter farm animal:ANIMAL
# animals=4..25 bales=2..6 weeks=5..20 have=50..300
: animals * bales * weeks > have + 1
+ {A} feeds {animals} {animal} in winter. | {A} has {animals} {animal}.
+ Each {animal1} eats {bales} bales of hay a week.
+ The winter lasts {weeks} weeks, and {have} bales are in the barn. | The winter lasts {weeks} weeks. & {have} bales are in the barn.
? How many bales must {he} buy? | How many more bales must {A} buy for the winter?
= weekly = animals * bales | Every week the {animal} eat {=} bales.
= needed = weekly * weeks | In the winter they eat {=} bales.
= bought = needed - have | {A} must buy {=} bales.

@ field_potatoes farm vegetable:VEGETABLE
# fields=2..9 sacks=20..60 sold=30..99 price=4..12
: fields * sacks > sold + 1
+ {A} digs {vegetable} from {fields} fields. | There are {fields} fields of {vegetable}.
+ Each field gives {sacks} sacks.
+ {He} keeps {sold} sacks and sells the others for {price} dollars a sack. | {A} keeps {sold} sacks. & Each sold sack costs {price} dollars.
? How much money does {he} get? | How many dollars does {A} get for the sold sacks?
= total = fields * sacks | The fields give {=} sacks.
= others = total - sold | {A} sells {=} sacks.
= money = others * price | {He} gets {=} dollars.

@ lambs_born farm animal:ANIMAL
# start=20..80 born=8..30 sold=2..7 years=3..6
+ {A} has {start} {animal}. | At first {A} has {start} {animal}.
+ Each year {born} young ones are born and {sold} {animal} are sold. | Each year {born} {animal} are born. & Each year {sold} {animal} are sold.
? How many {animal} does {he} have after {years} years? | How many {animal} does {A} have after {years} years?
= change = born - sold | Each year there are {=} more.
= gained = change * years | After {years} years there are {=} more.
= herd = start + gained | Then {A} has {=} {animal}.
> herd = start
> for year in range(years):
>     herd = herd + born - sold
> ans = herd

@ honey_jars farm
# hives=4..20 kilos=6..25 jars=2..4 gift=5..40
: hives * kilos * jars > gift + 1
+ {A} keeps {hives} bee hives.
+ Each hive gives {kilos} kilograms of honey.
+ One kilogram fills {jars} jars.
+ {He} gives {gift} jars away. | {A} gives {gift} jars away.
? How many jars of honey does {he} keep? | How many jars of honey does {A} keep in the end?
= honey = hives * kilos | The hives give {=} kilograms.
= filled = honey * jars | That fills {=} jars.
= kept = filled - gift | {A} keeps {=} jars.

@ apple_orchard farm fruit:FRUIT
# rows=4..15 trees=5..15 old=4..20 kilos=10..40
: rows * trees > old + 1
+ In a field there are {rows} rows of {trees} trees. | There are {rows} rows. & Each row has {trees} trees.
+ {old} trees are old and give nothing. | {old} trees give nothing.
+ Each of the other trees gives {kilos} kilograms of {fruit}.
? How many kilograms of {fruit} are picked? | How many kilograms of {fruit} do the other trees give?
= total = rows * trees | The field has {=} trees.
= good = total - old | Of these {=} trees give {fruit}.
= weight = good * kilos | They give {=} kilograms.

@ egg_price_if farm bird:BIRD
# birds=10..60 eggs=3..7 bound=150|200|250 high=3..5 low=2
: birds * eggs != bound
+ {A}'s {birds} {bird} lay {eggs} eggs each in a week. | There are {birds} {bird}. & Each {bird1} lays {eggs} eggs a week.
+ A market pays {high} dollars for an egg, but only {low} dollars if there are more than {bound} eggs. | An egg brings {high} dollars. & An egg brings {low} dollars if there are more than {bound} eggs.
? How much does the market pay for the eggs of one week? | How many dollars does the market pay for all the eggs of one week?
= laid = birds * eggs | The {bird} lay {=} eggs.
=[laid > bound] money = laid * low | That is more than {bound}, so the market pays {=} dollars.
=[laid < bound] money = laid * high | That is not more than {bound}, so the market pays {=} dollars.
> laid = birds * eggs
> price = high
> if laid > bound:
>     price = low
> ans = laid * price

@ wool_sheep farm new
# sheep=10..60 kilos=3..8 sack=5..12 price=20..60
: 4 <= sacks <= 60
+ {A} shears {sheep} sheep and gets {kilos} kilograms of wool from each. | {A} shears {sheep} sheep. & Each sheep gives {kilos} kilograms of wool.
+ The wool is packed in sacks of {sack} kilograms. | A sack holds {sack} kilograms.
+ A trader pays {price} dollars a sack. | Each sack brings {price} dollars.
? What does the trader pay for the wool, in dollars?
= wool = sheep * kilos | The wool weighs {=} kilograms.
= sacks = wool / sack | It fills {=} sacks.
= money = sacks * price | The trader pays {=} dollars.

@ machine_parts work part:PART
# machines=3..12 hourly=10..60 hours=4..12 bad=10..90
: machines * hourly * hours > bad + 1
+ A factory has {machines} machines.
+ Each machine makes {hourly} {part} an hour.
+ The machines run for {hours} hours, and {bad} {part} are bad. | The machines run for {hours} hours. & {bad} {part} are bad.
? How many good {part} does the factory make?
= each_hour = machines * hourly | The machines make {=} {part} an hour.
= made = each_hour * hours | In {hours} hours they make {=} {part}.
= good = made - bad | That leaves {=} good {part}.

@ truck_loads work furniture:FURNITURE
# trucks=2..9 each=12..60 unloaded=20..90 first=3..30
: trucks * each > unloaded + first + 1
+ {trucks} trucks bring {each} {furniture} each to a hall. | There are {trucks} trucks. & Each truck brings {each} {furniture}.
+ The workers unload {first} {furniture} before lunch and {unloaded} after lunch. | {first} {furniture} are unloaded before lunch. & {unloaded} {furniture} are unloaded after lunch.
? How many {furniture} are still on the trucks?
= total = trucks * each | The trucks bring {=} {furniture}.
= done = first + unloaded | The workers unload {=} {furniture}.
= left = total - done | The trucks still hold {=} {furniture}.

@ workers_wall work
# workers=3..12 stones=20..60 days=2..6 have=100..400
: workers * stones * days > have + 1
+ {workers} workers build a wall.
+ Each worker sets {stones} stones a day.
+ They work for {days} days, and {have} stones were already set. | They work for {days} days. & {have} stones were already set.
? How many stones does the wall have? | How many stones does the wall have after {days} days?
= daily = workers * stones | The workers set {=} stones a day.
= set_now = daily * days | In {days} days they set {=} stones.
= wall = set_now + have | The wall has {=} stones.

@ office_paper work
# boxes=3..12 packs=4..10 sheets=50|100|200 used=100..400
: boxes * packs * sheets > used + 1
+ An office buys {boxes} boxes of paper.
+ Each box has {packs} packs of {sheets} sheets. | Each box has {packs} packs. & Each pack has {sheets} sheets.
+ The printer uses {used} sheets.
? How many sheets are left? | How many sheets of paper does the office have left?
= all_packs = boxes * packs | There are {=} packs.
= paper = all_packs * sheets | They hold {=} sheets.
= left = paper - used | That leaves {=} sheets.

@ chairs_made work furniture:FURNITURE
# daily=4..15 days=5..20 legs=3|4 have=10..50
: daily * days * legs > have + 1
+ A carpenter makes {daily} {furniture} a day for {days} days. | The carpenter makes {daily} {furniture} a day. & The work takes {days} days.
+ Every {furniture1} needs {legs} legs.
+ {have} legs are ready. | {have} legs are already there.
? How many more legs does the carpenter need?
= made = daily * days | The carpenter makes {=} {furniture}.
= needed = made * legs | They need {=} legs.
= more = needed - have | The carpenter needs {=} more legs.

@ calls_center work
# people=4..20 calls=10..40 hours=4..8 missed=10..90
: people * calls * hours < 9000
: people * calls * hours > missed + 1
+ {people} people answer phones in an office.
+ Each of them takes {calls} calls an hour. | Each person takes {calls} calls an hour.
+ They work {hours} hours and {missed} calls are wrong numbers. | They work {hours} hours. & {missed} calls are wrong numbers.
? How many calls are not wrong numbers?
= hourly = people * calls | They take {=} calls an hour.
= total = hourly * hours | In all they take {=} calls.
= real = total - missed | So {=} calls are not wrong numbers.

@ gadget_tests work gadget:GADGET
# tested=:good*parts parts=3..6 good:=10..60 repaired=3..9
: good > repaired + 1
+ A [factory/firm] tests {tested} {gadget}.
+ One of every {parts} {gadget} fails the test.
+ {repaired} of the failed {gadget} are repaired. | {repaired} failed {gadget} are repaired.
? How many {gadget} stay broken? | How many failed {gadget} stay broken?
= failed = tested / parts | The test finds {=} failed {gadget}.
= broken = failed - repaired | So {=} {gadget} stay broken.

@ night_shift work part:PART
# day=100..400 less=20..90 shifts=3..6
+ The day shift packs {day} {part}.
+ The night shift packs {less} {part} fewer. | The night shift packs {less} {part} fewer than the day shift.
? How many {part} do both shifts pack in {shifts} days? | How many {part} do the day shift and the night shift pack in {shifts} days?
= night = day - less | The night shift packs {=} {part}.
= both = day + night | Each day both pack {=} {part}.
= packed = both * shifts | In {shifts} days they pack {=} {part}.

@ stock_weeks work part:PART
# stock=300..900 used=20..60 weeks=3..6 arrive=5..19
: stock > (used - arrive) * weeks + 1
+ A workshop has {stock} {part}.
+ Every week it uses {used} {part}, and {arrive} new ones arrive. | Every week {used} {part} are used. & Every week {arrive} new {part} arrive.
? How many {part} are in the workshop after {weeks} weeks?
= change = used - arrive | Each week there are {=} {part} fewer.
= gone = change * weeks | After {weeks} weeks there are {=} {part} fewer.
= left = stock - gone | The workshop then has {=} {part}.
> for week in range(weeks):
>     stock = stock - used
>     stock = stock + arrive
> ans = stock

@ team_bonus work
# workers=4..15 made=20..60 goal=:workers*made-above above:=5..90 bonus=2..5
+ {workers} workers make {made} toys each. | There are {workers} workers. & Each worker makes {made} toys.
+ The goal is {goal} toys.
+ For every toy above the goal the team gets {bonus} dollars. | Every toy above the goal brings {bonus} dollars.
? How much does the team get? | How many dollars does the team get for the toys above the goal?
= total = workers * made | The workers make {=} toys.
= above = total - goal | That is {=} toys above the goal.
= extra = above * bonus | The team gets {=} dollars.

@ bricks_pallets work
# pallets=4..20 bricks=50..200 walls=3..9 each=60..120
: pallets * bricks > walls * each + 1
+ {pallets} pallets with {bricks} bricks each are on the building site. | There are {pallets} pallets. & Each pallet has {bricks} bricks.
+ The workers build {walls} walls with {each} bricks each. | The workers build {walls} walls. & Each wall needs {each} bricks.
? How many bricks are left on the building site?
= total = pallets * bricks | There are {=} bricks.
= used = walls * each | The walls need {=} bricks.
= left = total - used | That leaves {=} bricks.

@ half_price_order work clothing:CLOTHING
# many=:2*half half:=5..40 price=:2*lower lower:=4..20 fee=6..20
+ A tailor sews {many} {clothing}.
+ Half of them sell for {price} dollars each. | Half of the {clothing} sell for {price} dollars each.
+ The other half sell for half the price. | The other {clothing} sell for half the price.
+ The market stand costs {fee} dollars.
? How much money does the tailor keep? | How many dollars does the tailor keep after paying for the stand?
= half = many / 2 | Each half has {=} {clothing}.
= first = half * price | The first half brings {=} dollars.
= second = first / 2 | The second half brings {=} dollars.
= kept = first + second - fee | The tailor keeps {=} dollars.

@ tank_filling work
# tank=:(inflow-out)*minutes+start start=20..90 inflow=15..60 out=4..12 minutes:=5..40
+ A tank holds {tank} liters when it is full. | The full tank holds {tank} liters.
+ Now there are {start} liters in it. | Now there are {start} liters in the tank.
+ Every minute {inflow} liters flow in and {out} liters flow out. | Every minute {inflow} liters flow in. & Every minute {out} liters flow out.
? After how many minutes is the tank full?
= missing = tank - start | There are {=} liters missing.
= gain = inflow - out | Every minute the tank gains {=} liters.
= minutes = missing / gain | It is full after {=} minutes.
> water = start
> minutes = 0
> while water < tank:
>     water = water + inflow - out
>     minutes = minutes + 1
> ans = minutes

@ robot_arms work new
# robots=4..40 arms=2..9 screws=3..12 bag=4|5|6|8|10|12|14|16|28
: 3 <= bags <= 40
+ A line builds {robots} robots with {arms} arms each. | The line builds {robots} robots. & Each robot has {arms} arms.
+ Every arm is held by {screws} screws.
+ Screws are delivered in bags of {bag}. | A bag holds {bag} screws.
? How many bags are delivered?
= all_arms = robots * arms | The robots have {=} arms.
= screws_all = all_arms * screws | The arms are held by {=} screws.
= bags = screws_all / bag | They come in {=} bags.
"""
