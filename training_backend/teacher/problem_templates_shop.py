# ruff: noqa: E501  (a template sentence is one line)
"""Templates of sample problems: shops, money and shows (the notation: `problem_syntax.py`)."""

TEXT = """
@ buy_two_kinds shop fruit:FRUIT drink:DRINK
# many=4..20 price=2..9 bottles=3..12 cost=2..8
+ {A} buys {many} {fruit} for {price} dollars each. | {A} buys {many} {fruit}. & Each {fruit1} costs {price} dollars.
+ {He} also buys {bottles} bottles of {drink} for {cost} dollars each. | {A} buys {bottles} bottles of {drink}. & Each bottle costs {cost} dollars.
? How much does {he} [pay/spend] in total? | How many dollars does {A} [pay/spend] for everything?
= food = many * price | The {fruit} cost {=} dollars.
= drinks = bottles * cost | The {drink} costs {=} dollars.
= total = food + drinks | In total {A} [pays/spends] {=} dollars.

@ change_back shop supply:SUPPLY
# many=3..15 price=2..9 bill=50|100|200
: many * price < bill
+ {A} buys {many} {supply}.
+ Each {supply1} costs {price} dollars.
+ {He} pays with {bill} dollars. | {A} pays with {bill} dollars.
? How much money does {he} get back? | How many dollars does {A} get back?
= cost = many * price | The {supply} cost {=} dollars.
= back = bill - cost | {A} gets back {=} dollars.

@ discount_percent shop clothing:CLOTHING
# price=20..200 percent=5|10|20|25|50 coupon=2..9
: price * percent % 100 == 0
+ {A clothing} costs {price} dollars.
+ Today the price is {percent} percent lower.
+ {A} also has a coupon for {coupon} dollars. | {A} has a coupon for {coupon} dollars.
? How much does {A} pay for the {clothing1}? | How many dollars does {A} pay for the {clothing1} with the coupon?
= off = price * percent / 100 | The price falls by {=} dollars.
= lower = price - off | The lower price is {=} dollars.
= paid = lower - coupon | With the coupon {he} pays {=} dollars.

@ bulk_price_if shop supply:SUPPLY
# many=6..30 price=4..12 bound=10|15|20 cut=2..4
: many != bound
+ {A supply} costs {price} dollars.
+ Customers who buy more than {bound} get each one for {cut} dollars less. | Above {bound} {supply} each one costs {cut} dollars less.
+ {A} buys {many} {supply}.
? How much does {A} pay? | How many dollars does {A} pay for the {supply}?
=[many > bound] lower = price - cut | {many} is more than {bound}, so each one costs {=} dollars.
=[many > bound] cost = many * lower | {A} pays {=} dollars.
=[many < bound] cost = many * price | {many} is not more than {bound}, so {A} pays {=} dollars.
> if many > bound:
>     price = price - cut
> ans = many * price

@ free_delivery_if shop gadget:GADGET
# many=2..9 price=8..30 bound=100|120|150 fee=5..12
: many * price != bound
+ {A} orders {many} {gadget} for {price} dollars each. | {A} orders {many} {gadget}. & Each {gadget1} costs {price} dollars.
+ Delivery costs {fee} dollars, but it is free for orders above {bound} dollars. | Delivery costs {fee} dollars. & Orders above {bound} dollars are delivered for free.
? How much does {A} pay in all? | How many dollars does {A} pay with the delivery?
= goods = many * price | The {gadget} cost {=} dollars.
=[goods > bound] paid = goods | That is above {bound} dollars, so {A} pays {paid} dollars.
=[goods < bound] paid = goods + fee | That is not above {bound} dollars, so with delivery {A} pays {=} dollars.
> paid = many * price
> if paid < bound:
>     paid = paid + fee
> ans = paid

@ shop_boxes_left shop toy:TOY
# boxes=4..20 each=6..24 sold=10..99 back=3..15
+ A [shop/store] gets {boxes} boxes of {toy}.
+ There are {each} {toy} in each box.
+ It sells {sold} {toy}, and {back} of those are brought back. | The [shop/store] sells {sold} {toy}. & {back} of the sold {toy} are brought back.
? How many {toy} does the [shop/store] have at the end?
= total = boxes * each | The [shop/store] gets {=} {toy}.
= left = total - sold | After the sale it has {=} {toy}.
= stock = left + back | At the end it has {=} {toy}.

@ three_day_sales shop food:BAKED
# first=20..90 more=5..40 times=2..4
+ A bakery sells {first} {food} on [Monday/Thursday].
+ The next day it sells {more} more than that. | On the second day it sells {more} more {food} than on the first.
+ On the third day it sells {times} times as many as on the first. | On the third day it sells {times} times as many {food} as on the first.
? How many {food} does the bakery sell on the three days? | How many {food} does the bakery sell on the three days together?
= second = first + more | On the second day it sells {=} {food}.
= third = first * times | On the third day it sells {=} {food}.
= total = first + second + third | Together that is {=} {food}.

@ cost_of_one shop small:SMALL
# packs=2..9 each=4..12 price:=2..9 paid=:packs*each*price
+ {A} buys {packs} packs of {small}.
+ Each pack holds {each} {small}.
+ {He} pays {paid} dollars. | {A} pays {paid} dollars for all the {small}.
? What does one {small1} cost, in dollars? | How many dollars does one {small1} cost?
= total = packs * each | {A} buys {=} {small}.
= price = paid / total | One {small1} costs {=} dollars.

@ compare_two_shops home furniture:FURNITURE
# many=3..15 dear=30..90 cheap=11..29 fee=5..20
: many * (dear - cheap) > fee + 1
+ {A} needs {many} {furniture}.
+ In the first shop {a furniture} costs {dear} dollars.
+ In the second shop it costs {cheap} dollars, but the van costs {fee} dollars. | In the second shop {a furniture} costs {cheap} dollars. & The van from the second shop costs {fee} dollars.
? How much money does {he} save in the second shop? | How many dollars does {A} save by buying in the second shop?
= first = many * dear | In the first shop {A} pays {=} dollars.
= second = many * cheap + fee | In the second shop {he} pays {=} dollars.
= saved = first - second | {He} saves {=} dollars.

@ flower_shop_mix shop
# roses=10..60 price=2..6 tulips=10..70 cost=2..5 rent=20..60
: roses * price + tulips * cost > rent + 1
+ A flower shop sells {roses} roses for {price} dollars each and {tulips} tulips for {cost} dollars each. | The shop sells {roses} roses for {price} dollars each. & The shop sells {tulips} tulips for {cost} dollars each.
+ The rent for the day is {rent} dollars.
? How much money is left after the rent? | How many dollars does the flower shop have left after the rent?
= first = roses * price | The roses bring in {=} dollars.
= second = tulips * cost | The tulips bring in {=} dollars.
= income = first + second | Together that is {=} dollars.
= left = income - rent | After the rent {=} dollars are left.

@ scales_of_rice shop grocery:GROCERY
# sacks=4..20 kilos=10..40 bag=2..5 price=3..9
: 10 <= bags <= 400
+ A [shop/market] buys {sacks} sacks of {grocery}.
+ Each sack weighs {kilos} kilograms.
+ It sells the {grocery} in bags of {bag} kilograms for {price} dollars a bag. | The {grocery} is sold in bags of {bag} kilograms. & A bag costs {price} dollars.
? How much money does the [shop/market] get for all the {grocery}? | How many dollars does the [shop/market] get for all the bags?
= weight = sacks * kilos | The sacks weigh {=} kilograms.
= bags = weight / bag | That fills {=} bags.
= money = bags * price | The bags sell for {=} dollars.

@ shelf_restock shop drink:DRINK
# shelves=3..12 room=10..30 now=12..99 crate=4..12
: 2 <= crates <= 60
+ A shop has {shelves} shelves for {drink}, and each shelf has room for {room} bottles. | There are {shelves} shelves for {drink}. & Each shelf has room for {room} bottles.
+ Now there are {now} bottles on the shelves.
+ New bottles come in crates of {crate}.
? How many crates fill the shelves? | How many crates are needed to fill all the shelves?
= room_for = shelves * room | The shelves have room for {=} bottles.
= missing = room_for - now | There is room for {=} more bottles.
= crates = missing / crate | That takes {=} crates.

@ saving_weeks money gadget:GADGET
# price=:have+weekly*weeks have=10..60 weekly=5..20 weeks:=3..20
+ {A} wants {a gadget} that costs {price} dollars. | The {gadget1} costs {price} dollars.
+ {He} has {have} dollars and saves {weekly} dollars a week. | {A} has {have} dollars. & {A} saves {weekly} dollars a week.
? In how many weeks can {he} buy it? | In how many weeks can {A} buy the {gadget1}?
= missing = price - have | {A} still needs {=} dollars.
= weeks = missing / weekly | That takes {=} weeks.
> weeks = 0
> while have < price:
>     have = have + weekly
>     weeks = weeks + 1
> ans = weeks

@ saving_growing money
# first=4..20 more=2..9 weeks=3..8
+ {A} saves {first} dollars in the first week.
+ In every later week {he} saves {more} dollars more than in the week before. | In every later week {A} saves {more} dollars more than in the week before.
? How much money does {he} save in {weeks} weeks? | How many dollars does {A} save in {weeks} weeks?
= same = first * weeks | Without the growth that is {=} dollars.
= growth = more * weeks * (weeks - 1) / 2 | The growth adds {=} dollars.
= total = same + growth | In all {A} saves {=} dollars.
> total = 0
> saved = first
> for week in range(weeks):
>     total = total + saved
>     saved = saved + more
> ans = total

@ pocket_money money
# weekly=5..20 weeks=4..15 spent=5..60 gift=10..50
: weekly * weeks > spent + 1
+ {A} gets {weekly} dollars of pocket money every week.
+ In {weeks} weeks {he} spends {spent} dollars. | {A} spends {spent} dollars in {weeks} weeks.
+ {His} [uncle/aunt] gives {him} {gift} dollars as a gift. | {A} gets {gift} dollars as a gift.
? How much money does {he} have then? | How many dollars does {A} have after {weeks} weeks with the gift?
= pocket = weekly * weeks | The pocket money is {=} dollars.
= left = pocket - spent | {A} keeps {=} dollars of it.
= total = left + gift | With the gift {he} has {=} dollars.

@ two_savers money
# mine=10..90 times=2..5 gift=:2*half half:=5..30
+ {A} has {mine} dollars.
+ {B} has {times} times as much money as {A}.
+ Together they buy a gift for {gift} dollars. | {A} and {B} pay {gift} dollars for a gift.
? How much money do they have left together? | How many dollars do {A} and {B} have left together?
= other = mine * times | {B} has {=} dollars.
= both = mine + other | Together they have {=} dollars.
= left = both - gift | After the gift {=} dollars are left.

@ doubling_account money
# start=4..40 nights=3..7
+ {A} puts {start} dollars in a magic [box/jar]. | At first there are {start} dollars in the [box/jar].
+ Every night the money in it doubles. | Every night the money doubles.
? How many dollars are in it after {nights} nights? | How many dollars are in the [box/jar] after {nights} nights?
= times = 2 ** nights | After {nights} nights there is {=} times as much.
= money = start * times | There are {=} dollars.
> money = start
> for night in range(nights):
>     money = money * 2
> ans = money

@ shared_bill money
# people=3..9 each:=8..30 food=:people*each-drinks drinks=11..60
+ {people} friends eat together and share the bill equally. | {people} friends share the bill equally.
+ The food costs {food} dollars and the drinks cost {drinks} dollars. | The food costs {food} dollars. & The drinks cost {drinks} dollars.
? How much does each friend pay? | How many dollars does each friend pay?
= bill = food + drinks | The bill is {=} dollars.
= each = bill / people | Each friend pays {=} dollars.

@ tip_percent money
# meal=20..180 percent=5|10|15|20 people=2..6
: meal * percent % 100 == 0
: 8 <= each <= 90
+ A dinner costs {meal} dollars.
+ {A} adds a tip of {percent} percent.
+ {people} people share the cost equally. | {people} people share everything equally.
? How much does each person pay? | How many dollars does each person pay with the tip?
= tip = meal * percent / 100 | The tip is {=} dollars.
= total = meal + tip | With the tip the dinner costs {=} dollars.
= each = total / people | Each person pays {=} dollars.

@ hourly_work money
# hours=4..9 days=3..6 wage=8..25 cost=10..90
: hours * days * wage > cost + 1
+ {A} works {hours} hours a day on {days} days a week.
+ {He} earns {wage} dollars an hour. | {A} earns {wage} dollars an hour.
+ The train costs {him} {cost} dollars a week. | The train costs {A} {cost} dollars a week.
? How much money is left after one week? | How many dollars does {A} have left after paying for one week of train rides?
= worked = hours * days | {A} works {=} hours a week.
= earned = worked * wage | {He} earns {=} dollars.
= left = earned - cost | After the train {=} dollars are left.

@ overtime_if money
# hours=30..60 wage=8..25 extra=2..9 bound=35|40
: hours != bound
+ {A} earns {wage} dollars an hour.
+ For every hour above {bound} hours a week {he} gets {extra} dollars more. | Each hour above {bound} hours a week pays {extra} dollars more.
+ This week {he} works {hours} hours. | This week {A} works {hours} hours.
? How much does {he} earn this week? | How many dollars does {A} earn this week?
= basic = hours * wage | For {hours} hours {A} earns {=} dollars.
=[hours > bound] over = hours - bound | {He} works {=} hours above {bound}.
=[hours > bound] bonus = over * extra | They bring {=} dollars more.
=[hours > bound] pay = basic + bonus | In all {he} earns {=} dollars.
=[hours < bound] pay = basic | There are no hours above {bound}, so {he} earns {pay} dollars.
> pay = hours * wage
> if hours > bound:
>     over = hours - bound
>     pay = pay + over * extra
> ans = pay

@ loan_back money
# loan=100..900 rate=20..80 months=2..9
: loan > rate * months + 1
+ {A} borrows {loan} dollars from {B}.
+ {He} pays back {rate} dollars every month. | {A} pays back {rate} dollars every month.
? How much does {he} still owe after {months} months? | How many dollars does {A} still owe after {months} months?
= paid = rate * months | {A} pays back {=} dollars.
= owed = loan - paid | {He} still owes {=} dollars.
> owed = loan
> for month in range(months):
>     owed = owed - rate
> ans = owed

@ coins_mixed money new
# fives=3..20 tens=2..15 twos=4..30
+ {A} opens the money box and finds {twos} coins of 2 dollars. | There are {twos} coins of 2 dollars.
+ There are also {fives} bills of 5 dollars and {tens} bills of 10 dollars. | There are {fives} bills of 5 dollars. & There are {tens} bills of 10 dollars.
? How many dollars are in the money box?
= small = twos * 2 | The coins are {=} dollars.
= middle = fives * 5 | The bills of 5 dollars are {=} dollars.
= large = tens * 10 | The bills of 10 dollars are {=} dollars.
= total = small + middle + large | The box holds {=} dollars.

@ craft_profit money craft:CRAFT
# many=6..30 cost=2..9 price=11..30
+ {A} makes {many} {craft}.
+ The material for one {craft1} costs {cost} dollars.
+ {He} sells each {craft1} for {price} dollars. | {A} sells each {craft1} for {price} dollars.
? How much does {he} earn with all the {craft}? | How many dollars does {A} earn with all the {craft} after paying for the material?
= one = price - cost | With one {craft1} {he} earns {=} dollars.
= earned = many * one | With all of them {he} earns {=} dollars.

@ ticket_prices show hall:HALL
# adults=2..9 children=3..20 price=8..25 cheap=3..7
+ A ticket for the {hall} costs {price} dollars for adults and {cheap} dollars for children. | A ticket for adults costs {price} dollars. & A ticket for children costs {cheap} dollars.
+ {adults} adults and {children} children go to the {hall}. | {adults} adults go to the {hall}. & {children} children go to the {hall}.
? How much do they pay [together/in total]? | How many dollars do the adults and the children pay together?
= first = adults * price | The adults pay {=} dollars.
= second = children * cheap | The children pay {=} dollars.
= total = first + second | Together they pay {=} dollars.

@ empty_seats show
# rows=8..30 seats=10..25 sold=40..150 late=5..30
: rows * seats > sold + late + 1
+ A [theater/cinema] has {rows} rows with {seats} seats each. | There are {rows} rows. & Each row has {seats} seats.
+ {sold} tickets are sold before the show and {late} more at the door. | {sold} tickets are sold before the show. & {late} tickets are sold at the door.
? How many seats stay empty?
= room = rows * seats | There are {=} seats.
= taken = sold + late | In all {=} tickets are sold.
= empty = room - taken | That leaves {=} empty seats.

@ zoo_visitors show
# first=50..300 second=:3*third third:=20..99 left=10..60
+ {first} people visit the zoo in the morning and {second} people in the afternoon. | {first} people come in the morning. & {second} people come in the afternoon.
+ One third of the afternoon visitors are children. | One third of the people in the afternoon are children.
+ {left} children come in the morning.
? How many visitors of the day are not children? | How many people who visit the zoo on this day are not children?
= visitors = first + second | On this day {=} people visit the zoo.
= late = second / 3 | In the afternoon there are {=} children.
= children = late + left | In all there are {=} children.
= adults = visitors - children | So {=} visitors are not children.

@ circus_tents show town:TOWN
# shows=3..9 people=60..300 price=4..9 cost=100..500
: shows * people * price > cost + 1
: shows * people * price < 9000
+ The circus gives {shows} shows in {town}. | The circus gives {shows} shows.
+ {people} people come to each show and pay {price} dollars each. | {people} people come to each show. & Each person pays {price} dollars.
+ The place for the tent costs {cost} dollars.
? How much money does the circus keep? | How many dollars does the circus keep after paying for the place?
= visitors = shows * people | In all {=} people come.
= income = visitors * price | They pay {=} dollars.
= kept = income - cost | The circus keeps {=} dollars.

@ museum_groups show
# people=:most*groups+rest most=5..12 groups:=3..12 rest:=2..4 price=20..60
+ {people} visitors want a tour of the museum.
+ One guide leads at most {most} visitors. | One guide leads at most {most} visitors at a time.
+ Each guide costs {price} dollars.
? How much do the guides cost? | How many dollars do the guides for all the visitors cost?
=~ full = people // most | There are {full} full groups.
= led = full * most | They hold {=} visitors, so one more guide is needed.
= guides = full + 1 | That makes {=} guides.
= cost = guides * price | They cost {=} dollars.
> guides = 0
> while people > 0:
>     people = people - most
>     guides = guides + 1
> ans = guides * price
"""
