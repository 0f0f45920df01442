# ruff: noqa: E501  (a template sentence is one line)
"""Templates of sample problems: kitchen, garden and home (the notation: `problem_syntax.py`)."""

TEXT = """
@ bake_and_sell kitchen food:BAKED
# trays=3..12 each=4..15 sold=5..90
+ {A} [bakes/makes] {trays} trays of {food}.
+ Each tray holds {each} {food}.
+ {He} sells {sold} of them. | {A} sells {sold} {food}.
? How many {food} does {he} have left? | How many {food} does {A} have left after selling some?
= baked = trays * each | {A} [bakes/makes] {=} {food}.
= left = baked - sold | {He} has {=} {food} left.

@ bake_twice_and_pack kitchen food:BAKED
# box=4..12 boxes:=4..16 morning=10..80 evening=:boxes*box-morning
+ {A} bakes {morning} {food} in the morning and {evening} {food} in the evening. | {A} bakes {morning} {food} in the morning. & {A} bakes {evening} {food} in the evening.
+ {He} packs all of them in boxes of {box}. | All {food} go in boxes of {box}.
? How many boxes does {he} need? | How many boxes does {A} need for all the {food}?
= baked = morning + evening | {A} bakes {=} {food} in total.
= boxes = baked / box | {He} needs {=} boxes.

@ recipe_scaled kitchen food:BAKED
# eggs=2..9 batches=3..15 have=4..60
+ One batch of {food} needs {eggs} eggs.
+ {A} wants to make {batches} batches.
+ {He} already has {have} eggs. | {A} already has {have} eggs.
? How many more eggs does {he} need? | How many more eggs does {A} need for all the batches?
= needed = eggs * batches | All the batches need {=} eggs.
= more = needed - have | {A} needs {=} more eggs.

@ jam_jars kitchen fruit:FRUIT
# baskets=3..12 each=10..40 jar=4..9
: 5 <= jars <= 60
+ {A} picks {baskets} baskets of {fruit}.
+ There are {each} {fruit} in each basket.
+ One jar of jam needs {jar} {fruit}.
? How many jars of jam can {A} [make/fill]? | How many jars of jam can {A} [make/fill] from all the {fruit}?
= picked = baskets * each | {A} picks {=} {fruit}.
= jars = picked / jar | {He} can [make/fill] {=} jars.

@ lemonade_stand kitchen
# cups=12..60 price=2..6 sugar=4..20 cost=3..15
+ {A} sells {cups} cups of lemonade for {price} dollars each. | {A} sells {cups} cups of lemonade. & Each cup costs {price} dollars.
+ {He} spends {sugar} dollars on sugar and {cost} dollars on lemons. | {A} spends {sugar} dollars on sugar. & {A} spends {cost} dollars on lemons.
? How much money does {he} earn in the end? | How many dollars does {A} earn after paying for sugar and lemons?
= income = cups * price | The lemonade brings in {=} dollars.
= spent = sugar + cost | {A} spends {=} dollars.
= profit = income - spent | {He} earns {=} dollars in the end.

@ soup_servings kitchen
# pots=2..8 bowls=8..24 eaten=6..90 guests=3..15
: pots * bowls > eaten + guests + 1
+ {A} cooks {pots} pots of soup for a [party/feast].
+ Each pot fills {bowls} bowls.
+ The children eat {eaten} bowls and the parents eat {guests} bowls. | The children eat {eaten} bowls. & The parents eat {guests} bowls.
? How many bowls of soup are left? | How many bowls of soup are left after the [party/feast]?
= cooked = pots * bowls | The pots fill {=} bowls.
= used = eaten + guests | Together they eat {=} bowls.
= left = cooked - used | There are {=} bowls left.

@ pizza_slices kitchen
# pizzas=3..12 slices=6..12 people=4..20
: 2 <= share <= 12
+ {A} orders {pizzas} pizzas for a [party/meeting].
+ Each pizza is cut into {slices} slices.
+ {people} people share the slices equally.
? How many slices does each person get?
= total = pizzas * slices | There are {=} slices.
= share = total / people | Each person gets {=} slices.

@ pantry_days kitchen grocery:GROCERY
# bags=3..15 cups=6..24 daily=2..9
: 4 <= days <= 99
+ A kitchen has {bags} bags of {grocery}.
+ Each bag holds {cups} cups of {grocery}.
+ The cooks use {daily} cups every day.
? How many days does the {grocery} last?
= total = bags * cups | The kitchen has {=} cups of {grocery}.
= days = total / daily | The {grocery} lasts for {=} days.

@ dishes_together home
# mine=11..60 times=2..5 broken=2..9
+ {A} washes {mine} plates.
+ {B} washes {times} times as many plates as {A}.
+ They break {broken} plates while washing. | {A} and {B} break {broken} plates.
? How many washed plates are whole? | How many of the washed plates are not broken?
= other = mine * times | {B} washes {=} plates.
= washed = mine + other | Together they wash {=} plates.
= whole = washed - broken | There are {=} whole plates.

@ cookie_jar_loop kitchen food:BAKED
# start=30..99 taken=3..9 added=10..16 days=3..7
: start + days * (added - taken) < 999
+ A jar holds {start} {food}. | At first the jar holds {start} {food}.
+ Every morning {A} puts {added} {food} in.
+ Every evening {his} family eats {taken} {food}. | Every evening the family eats {taken} {food}.
? How many {food} are in the jar after {days} days?
= change = added - taken | Every day the jar gains {=} {food}.
= gained = change * days | In {days} days it gains {=} {food}.
= left = start + gained | At the end there are {=} {food} in the jar.
> left = start
> for day in range(days):
>     left = left + added
>     left = left - taken
> ans = left

@ tea_packets kitchen drink:DRINK
# weeks=2..9 cups=2..8 packs=4..12
: weeks * 7 * cups > packs + 10
+ {A} drinks {cups} cups of {drink} every day.
+ {He} already drank {packs} cups before the plan began. | {A} drank {packs} cups before the plan began.
+ The plan lasts {weeks} weeks.
? How many cups of {drink} does {he} drink in all? | How many cups of {drink} does {A} drink before and during the plan?
= days = weeks * 7 | The plan lasts {=} days.
= during = days * cups | {A} drinks {=} cups during the plan.
= total = packs + during | In all {he} drinks {=} cups.

@ plant_rows garden flower:FLOWER
# rows=4..15 each=5..20 red=6..99
+ {A} plants {rows} rows of {flower} in the garden.
+ There are {each} {flower} in each row.
+ {red} of the {flower} are red and the others are white. | {red} of the {flower} are red. & The other {flower} are white.
? How many white {flower} are there?
= planted = rows * each | {A} plants {=} {flower}.
= white = planted - red | There are {=} white {flower}.

@ bouquet_money garden flower:FLOWER
# picked=40..200 size=4..12 price=3..9
: 6 <= bunches <= 30
+ {A} picks {picked} {flower}.
+ {He} ties them in bunches of {size}. | {A} ties the {flower} in bunches of {size}.
+ Each bunch sells for {price} dollars.
? How much money does {he} get for all the bunches? | How many dollars does {A} get for all the bunches?
= bunches = picked / size | There are {=} bunches.
= money = bunches * price | They sell for {=} dollars.

@ fence_posts garden
# long=10..60 wide=6..40 price=3..9
: long > wide + 1
+ {A} builds a fence around a field.
+ The field is {long} meters long and {wide} meters wide. | The field is {long} meters long. & The field is {wide} meters wide.
+ One meter of fence costs {price} dollars.
? How much does the whole fence cost? | How many dollars does the fence around the whole field cost?
= sides = long + wide | One long side and one short side are {=} meters.
= around = sides * 2 | The way around the field is {=} meters.
= cost = around * price | The fence costs {=} dollars.

@ tree_harvest garden fruit:FRUIT
# trees=3..12 each=12..60 bad=5..50 bag=4..10
: 3 <= bags <= 99
+ {A} has {trees} trees.
+ Each tree gives {each} {fruit}.
+ {bad} of the {fruit} are bad and are thrown away. | {bad} {fruit} are bad.
+ The good ones go in bags of {bag}. | The good {fruit} go in bags of {bag}.
? How many bags does {he} fill? | How many bags does {A} fill with good {fruit}?
= total = trees * each | The trees give {=} {fruit}.
= good = total - bad | That leaves {=} good {fruit}.
= bags = good / bag | {A} fills {=} bags.

@ watering_cans garden
# beds=4..18 cans=2..6 liters=3..12 tank=10..99
: beds * cans * liters > tank + 1
+ {A} waters {beds} flower beds.
+ Each bed needs {cans} cans of water.
+ One can holds {liters} liters.
+ {tank} liters come from the rain tank and the others come from the tap. | {tank} liters come from the rain tank.
? How many liters come from the tap?
= needed = beds * cans | {A} needs {=} cans of water.
= water = needed * liters | That is {=} liters.
= tap = water - tank | The tap gives {=} liters.

@ seed_packets garden vegetable:VEGETABLE
# packets=3..12 seeds=10..40 lost=6..60 third=2..5
: 5 <= plants <= 200
+ {A} buys {packets} packets of {vegetable1} seeds.
+ Each packet holds {seeds} seeds.
+ Birds eat {lost} of the seeds. | Birds eat {lost} seeds.
+ One of every {third} other seeds grows into a plant. | One of every {third} seeds that are left becomes a plant.
? How many plants does {he} get? | How many plants does {A} get from the seeds that are left?
= total = packets * seeds | {A} buys {=} seeds.
= left = total - lost | There are {=} seeds left.
= plants = left / third | {He} gets {=} plants.

@ growing_tree garden tree:TREE
# height=40..150 year=11..60 years=3..9 cut=5..30
+ {A} plants {a tree} that is {height} centimeters tall. | The {tree1} is {height} centimeters tall at first.
+ Every year it grows {year} centimeters. | Every year the {tree1} grows {year} centimeters.
+ After {years} years {he} cuts {cut} centimeters off the top. | After {years} years {A} cuts off {cut} centimeters.
? How tall is the {tree1} then, in centimeters? | How many centimeters tall is the {tree1} after the cut?
= growth = year * years | In {years} years it grows {=} centimeters.
= grown = height + growth | Before the cut it is {=} centimeters tall.
= tall = grown - cut | After the cut it is {=} centimeters tall.
> tall = height
> for season in range(years):
>     tall = tall + year
> tall = tall - cut
> ans = tall

@ tiles_floor home
# long=4..20 wide=3..15 tiles=4..9 spare=10..60
+ {A} lays tiles in a room that is {long} meters long and {wide} meters wide. | The room is {long} meters long. & The room is {wide} meters wide.
+ Each square meter needs {tiles} tiles.
+ {He} also buys {spare} spare tiles. | {A} also buys {spare} spare tiles.
? How many tiles does {he} buy? | How many tiles does {A} buy with the spare ones?
= area = long * wide | The room has {=} square meters.
= needed = area * tiles | The floor needs {=} tiles.
= bought = needed + spare | {A} buys {=} tiles.

@ paint_walls home
# walls=3..12 cans=2..6 price=9..30 have=2..9
: walls * cans > have + 1
+ {A} paints {walls} walls.
+ Each wall needs {cans} cans of paint.
+ {He} has {have} cans at home. | {A} has {have} cans at home.
+ A new can costs {price} dollars.
? How much does {he} pay for the cans that are missing? | How many dollars do the missing cans cost?
= needed = walls * cans | {A} needs {=} cans.
= missing = needed - have | {He} must buy {=} cans.
= cost = missing * price | They cost {=} dollars.

@ laundry_loads home clothing:CLOTHING
# people=3..9 each=4..20 load=5..12
: 2 <= loads <= 30
+ {people} people give {A} their {clothing} to wash.
+ Each person brings {each} {clothing}.
+ The machine takes {load} {clothing} at a time.
? How many loads does {A} wash?
= total = people * each | There are {=} {clothing}.
= loads = total / load | {A} washes {=} loads.

@ shared_collection home small:SMALL
# mine=20..120 more=5..50 friends=3..9
: 8 <= share <= 60
+ {A} has {mine} {small}.
+ {B} has {more} more {small} than {A}.
+ They put all their {small} together and share them equally among {friends} friends. | All the {small} are shared equally among {friends} friends.
? How many {small} does each friend get?
= other = mine + more | {B} has {=} {small}.
= total = mine + other | Together they have {=} {small}.
= share = total / friends | Each friend gets {=} {small}.

@ collection_difference home small:SMALL
# mine=20..150 less=5..19 found=4..30
+ {A} has {mine} {small}.
+ {B} has {less} fewer {small} than {A}.
+ Then {B} finds {found} more. | {B} then finds {found} more {small}.
? How many {small} do they have together [now/then]? | How many {small} do {A} and {B} have together in the end?
= fewer = mine - less | At first {B} has {=} {small}.
= other = fewer + found | Then {B} has {=} {small}.
= total = mine + other | Together they have {=} {small}.

@ half_given_away home small:SMALL
# start=:2*half half:=20..99 bought=5..60 given=4..40
+ {A} [has/owns] {start} {small}.
+ {He} gives half of them to {B}. | {A} gives half of the {small} to {B}.
+ Then {he} buys {bought} more and loses {given}. | {A} then buys {bought} {small}. & {A} loses {given} {small}.
? How many {small} does {A} have [now/then]? | How many {small} does {A} have in the end?
= kept = start / 2 | {A} keeps {=} {small}.
= more = kept + bought | With the new ones {he} has {=} {small}.
= left = more - given | In the end {he} has {=} {small}.

@ candles_birthday home
# first=6..12 sisters=2..4 years=8..30 box=4..10
: first + years >= 18
: first * 3 + years > box + 1
+ {A} is {first} years old and {his} mother is {years} years older than twice that. | {A} is {first} years old. & The mother is {years} years older than twice {his} age.
+ They put one candle for each of their years on two cakes. | There is one candle for each of their years.
+ {box} candles are blown out by the wind. | The wind blows out {box} candles.
? How many candles are still burning? | How many candles are still burning on the two cakes?
= twice = first * 2 | Twice {his} age is {=} years.
= mother = twice + years | The mother is {=} years old.
= candles = first + mother | There are {=} candles.
= burning = candles - box | The wind leaves {=} candles burning.

@ steps_by_day home
# start=20..80 more=10..40 days=3..7
+ {A} does {start} [jumps/squats] on the first day.
+ Every day after that {he} does {more} more than the day before. | Every later day {A} does {more} more than the day before.
? How many [jumps/squats] does {he} do in the first {days} days? | How many [jumps/squats] does {A} do in {days} days in all?
= same = start * days | Without the extra ones there are {=}.
= extra = more * days * (days - 1) / 2 | The extra ones are {=}.
= total = same + extra | In all {A} does {=} [jumps/squats].
> total = 0
> today = start
> for day in range(days):
>     total = total + today
>     today = today + more
> ans = total

@ battery_shelf home gadget:GADGET new
# gadgets=4..40 each=2..9 pack=2..12
: 2 <= packs <= 30
+ {A} owns {gadgets} {gadget} that run on batteries. | {A} owns {gadgets} {gadget}.
+ Every {gadget1} takes {each} batteries.
+ Batteries come in packs of {pack}.
? How many packs fill all the {gadget}?
= needed = gadgets * each | All the {gadget} take {=} batteries.
= packs = needed / pack | That is {=} packs.

@ cat_food home pet:PET
# pets=2..9 cans=2..5 days=5..30 price=2..6
+ {A} has {pets} {pet}.
+ Each {pet1} eats {cans} cans of food a day.
+ One can costs {price} dollars.
? How much does {he} pay for {days} days? | How many dollars does the food for {days} days cost?
= daily = pets * cans | Every day the {pet} eat {=} cans.
= eaten = daily * days | In {days} days they eat {=} cans.
= cost = eaten * price | The food costs {=} dollars.

@ water_bottles home drink:DRINK
# bottles=6..30 liters=2..6 glass=3..8 drunk=5..40
: bottles * liters * glass > drunk + 1
+ There are {bottles} bottles of {drink} in {A}'s cellar. | There are {bottles} bottles of {drink}.
+ Each bottle holds {liters} liters, and a liter fills {glass} glasses. | Each bottle holds {liters} liters. & A liter fills {glass} glasses.
+ {His} guests drink {drunk} glasses. | The guests drink {drunk} glasses.
? How many glasses of {drink} are left? | How many glasses of {drink} are left in the cellar?
= volume = bottles * liters | There are {=} liters of {drink}.
= glasses = volume * glass | That is {=} glasses.
= left = glasses - drunk | There are {=} glasses left.
"""
