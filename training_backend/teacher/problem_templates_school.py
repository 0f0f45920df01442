# ruff: noqa: E501  (a template sentence is one line)
"""Templates of sample problems: school, library and sport (the notation: `problem_syntax.py`)."""

TEXT = """
@ class_supplies school supply:SUPPLY
# classes=3..12 pupils=15..30 each=2..6 have=20..99
: classes * pupils * each > have + 1
+ A school has {classes} classes with {pupils} pupils each. | There are {classes} classes. & Each class has {pupils} pupils.
+ Every pupil needs {each} {supply}.
+ There are already {have} {supply} in the cupboard. | The cupboard holds {have} {supply}.
? How many {supply} must the school buy? | How many more {supply} must the school buy for all the pupils?
= pupils_all = classes * pupils | The school has {=} pupils.
= needed = pupils_all * each | They need {=} {supply}.
= bought = needed - have | The school must buy {=} {supply}.

@ pencils_shared school supply:SUPPLY
# boxes=2..12 each=10..40 lost=3..30 pupils=4..25
: 2 <= share <= 30
+ A teacher has {boxes} boxes of {supply}.
+ There are {each} {supply} in each box.
+ {lost} {supply} are broken.
+ The good ones are shared equally among {pupils} pupils. | The good {supply} are shared equally among {pupils} pupils.
? How many {supply} does each pupil get? | How many good {supply} does each pupil get?
= total = boxes * each | There are {=} {supply}.
= good = total - lost | Of these {=} are good.
= share = good / pupils | Each pupil gets {=} {supply}.

@ bus_trip school
# pupils=:bus*buses-adults adults=4..20 bus=20..50 buses:=2..9 price=90..300
+ {pupils} pupils and {adults} adults go on a school trip. | {pupils} pupils go on the trip. & {adults} adults go on the trip.
+ A bus has {bus} seats and costs {price} dollars. | Each bus has {bus} seats. & Each bus costs {price} dollars.
? How much do the buses cost if every seat is taken? | How many dollars do the buses for all the pupils and adults cost?
= people = pupils + adults | In all {=} people go on the trip.
= buses = people / bus | They fill {=} buses.
= cost = buses * price | The buses cost {=} dollars.

@ quiz_points school subject:SUBJECT
# right=6..30 points=2..9 wrong=2..9 minus=2..4
: right * points > wrong * minus + 1
+ In {a subject} quiz each right answer gives {points} points. | Each right answer gives {points} points.
+ Each wrong answer costs {minus} points.
+ {A} has {right} right and {wrong} wrong answers. | {A} has {right} right answers. & {A} has {wrong} wrong answers.
? How many points does {he} get? | How many points does {A} get in the quiz?
= won = right * points | The right answers give {=} points.
= lost = wrong * minus | The wrong answers cost {=} points.
= score = won - lost | {A} gets {=} points.

@ test_average school
# first=40..95 second=40..95 third=:3*average-first-second average:=50..90
: third <= 100
: third >= 20
+ {A} gets {first} points in the first test and {second} points in the second test. | {A} gets {first} points in the first test. & {A} gets {second} points in the second test.
+ In the third test {he} gets {third} points. | {A} gets {third} points in the third test.
? What is {his} average? | What is the average of the three tests of {A}?
= total = first + second + third | Together that is {=} points.
= average = total / 3 | The average is {=} points.

@ classroom_groups school subject:SUBJECT
# girls=8..30 boys=:size*groups-girls size=3..8 groups:=4..12 sheets=2..9
+ There are {girls} girls and {boys} boys in the {subject} class. | There are {girls} girls. & There are {boys} boys.
+ They work in groups of {size}. | The children work in groups of {size}.
+ Each group gets {sheets} sheets of paper.
? How many sheets of paper are handed out? | How many sheets of paper do all the groups get?
= children = girls + boys | The class has {=} children.
= groups = children / size | They make {=} groups.
= paper = groups * sheets | They get {=} sheets of paper.

@ homework_time school subject:SUBJECT
# tasks=4..20 minutes=3..12 reading=10..40 pause=5..15
+ {A} has {tasks} {subject} tasks to do. | {A} does {tasks} {subject} tasks.
+ Each task takes {minutes} minutes.
+ After a break of {pause} minutes {he} reads for {reading} minutes. | The break takes {pause} minutes. & {A} reads for {reading} minutes.
? How many minutes does all of it take? | How many minutes do the tasks, the break and the reading take together?
= work = tasks * minutes | The tasks take {=} minutes.
= total = work + pause + reading | All of it takes {=} minutes.

@ chairs_in_hall school
# rows=6..20 each=8..20 more=2..5 broken=3..30
+ The hall has {rows} rows of {each} chairs. | There are {rows} rows. & Each row has {each} chairs.
+ {more} rows with the same number of chairs are added. | {more} more rows are added.
+ {broken} of all the chairs are broken. | {broken} chairs are broken.
? How many chairs can be used?
= all_rows = rows + more | There are {=} rows now.
= chairs = all_rows * each | They have {=} chairs.
= good = chairs - broken | Of these {=} chairs can be used.

@ choir_rows school
# rows=4..9 first=5..20 more=2..4
+ A choir stands in {rows} rows. | The choir has {rows} rows.
+ The first row has {first} singers.
+ Each later row has {more} singers more than the row before it.
? How many singers are in the choir?
= same = rows * first | With equal rows there are {=} singers.
= extra = more * rows * (rows - 1) / 2 | The longer rows add {=} singers.
= singers = same + extra | The choir has {=} singers.
> singers = 0
> place = first
> for row in range(rows):
>     singers = singers + place
>     place = place + more
> ans = singers

@ school_paper school
# classes=4..20 kilos=10..60 cents=2..9 goal=100..300
: classes * kilos * cents > goal + 1
+ {classes} classes collect old paper.
+ Each class brings {kilos} kilograms.
+ The school gets {cents} dollars for a kilogram.
+ A new set of balls costs {goal} dollars.
? How much money is left after buying the balls? | How many dollars are left after the school buys the balls?
= weight = classes * kilos | The classes bring {=} kilograms.
= money = weight * cents | The school gets {=} dollars.
= left = money - goal | After that {=} dollars are left.

@ garden_club school vegetable:VEGETABLE
# pupils=4..20 each=5..30 kitchen=10..80 bag=3..10
: 3 <= bags <= 60
+ {pupils} pupils of the school garden club pick {each} {vegetable} each. | {pupils} pupils pick {vegetable}. & Each pupil picks {each} {vegetable}.
+ The school kitchen takes {kitchen} {vegetable}.
+ The club sells the others in bags of {bag}. | The other {vegetable} are sold in bags of {bag}.
? How many bags does the club sell?
= picked = pupils * each | The pupils pick {=} {vegetable}.
= others = picked - kitchen | The club keeps {=} {vegetable}.
= bags = others / bag | That makes {=} bags.

@ absent_pupils school new
# classes=4..15 pupils=15..30 ill=10..50 trip=:2*half half:=10..40
: classes * pupils > ill + trip + 1
+ There are {classes} classes of {pupils} pupils in the building. | There are {classes} classes. & Each class has {pupils} pupils.
+ {ill} pupils are ill and {trip} are on a trip. | {ill} pupils are ill. & {trip} pupils are on a trip.
? How many pupils are present today?
= all_pupils = classes * pupils | The classes have {=} pupils.
= away = ill + trip | In all {=} pupils are away.
= present = all_pupils - away | So {=} pupils are present.

@ pages_per_day library reading:READING
# pages=:read+daily*days read=20..120 daily=8..40 days:=3..20
+ {A} reads {a reading} with {pages} pages. | The {reading1} has {pages} pages.
+ {He} has already read {read} pages. | {A} has read {read} pages.
+ From now on {he} reads {daily} pages a day. | {A} reads {daily} pages a day from now on.
? How many days does {he} still need? | How many days does {A} still need for the {reading1}?
= left = pages - read | There are {=} pages left.
= days = left / daily | {He} needs {=} days.
> days = 0
> while read < pages:
>     read = read + daily
>     days = days + 1
> ans = days

@ library_shelves library reading:READING
# shelves=6..30 each=20..60 lent=50..150 new=10..99
: shelves * each > lent + 1
+ A library has {shelves} shelves with {each} {reading} each. | There are {shelves} shelves. & Each shelf has {each} {reading}.
+ {lent} {reading} are lent out.
+ {new} new {reading} arrive [today/this week]. | {new} new {reading} arrive.
? How many {reading} are in the library [now/then]? | How many {reading} are in the library in the end?
= total = shelves * each | The shelves hold {=} {reading}.
= here = total - lent | The library still holds {=} {reading}.
= now_here = here + new | With the new ones there are {=} {reading}.

@ late_fee library reading:READING
# many=2..9 days=3..20 fee=2..5 free=2..6
: days > free + 1
+ {A} brings back {many} {reading} {days} days late. | {A} has {many} {reading}. & The {reading} are {days} days late.
+ The first {free} days are free.
+ After that each {reading1} costs {fee} dollars a day. | Each later day costs {fee} dollars for each {reading1}.
? How much does {he} pay? | How many dollars does {A} pay for all the {reading}?
= counted = days - free | {A} pays for {=} days.
= one = counted * fee | One {reading1} costs {=} dollars.
= total = one * many | In all {he} pays {=} dollars.

@ reading_contest library
# mine=10..60 more=5..30 less=3..9
: mine > less + 1
+ {A} reads {mine} stories in the summer.
+ {B} reads {more} stories more than {A}.
+ Their friend reads {less} stories fewer than {A}. | The friend reads {less} stories fewer than {A}.
? How many stories do the three read? | How many stories do {A}, {B} and the friend read together?
= second = mine + more | {B} reads {=} stories.
= third = mine - less | The friend reads {=} stories.
= total = mine + second + third | Together they read {=} stories.

@ book_boxes library reading:READING
# given=100..400 bad=10..60 box=8..25
: 4 <= boxes <= 40
+ People give {given} {reading} to the library.
+ {bad} of them are too old to keep. | {bad} {reading} are too old to keep.
+ The others go in boxes of {box}. | The other {reading} go in boxes of {box}.
? How many boxes are filled? | How many boxes are filled with the other {reading}?
= kept = given - bad | The library keeps {=} {reading}.
= boxes = kept / box | They fill {=} boxes.

@ words_written library
# words=200..900 pages=5..20 each=150..400
: words + pages * each < 9000
+ {A} has written {words} words of a story.
+ {He} writes {pages} more pages with {each} words each. | {A} writes {pages} more pages. & Each new page has {each} words.
? How many words does the story have then? | How many words does the story of {A} have in the end?
= added = pages * each | The new pages have {=} words.
= total = words + added | The story has {=} words.

@ reading_speed library new
# minutes=2..6 pages=20..90 hours=2..6
: pages * minutes > hours * 60 + 10
+ {A} needs {minutes} minutes for one page.
+ The chapter has {pages} pages.
+ {He} has read for {hours} hours. | {A} has read for {hours} hours.
? How many more minutes does {he} need for the chapter? | How many more minutes does {A} need for the chapter?
= whole = pages * minutes | The chapter takes {=} minutes.
= spent = hours * 60 | {A} has read for {=} minutes.
= more = whole - spent | {He} needs {=} more minutes.

@ team_points sport sport:TEAM_SPORT
# games=5..20 points=2..4 draws=2..9 lost=2..6
: games > draws + lost + 1
+ {A sport} team plays {games} games.
+ It gets {points} points for each win and 1 point for each draw. | Each win gives {points} points. & Each draw gives 1 point.
+ It loses {lost} games and {draws} games end in a draw. | The team loses {lost} games. & {draws} games end in a draw.
? How many points does the team have? | How many points does the {sport} team have after all the games?
= not_won = lost + draws | The team does not win {=} games.
= wins = games - not_won | The team wins {=} games.
= won = wins * points | The wins give {=} points.
= total = won + draws | With the draws it has {=} points.

@ laps_pool sport
# laps=10..60 meters=25|50 days=3..6 goal=200..900
: laps * meters * days > goal + 1
: laps * meters * days < 9999
+ {A} swims {laps} laps a day.
+ One lap is {meters} meters long.
+ {His} goal is {goal} meters. | The goal is {goal} meters.
? How many meters above the goal does {he} swim in {days} days? | How many meters more than the goal does {A} swim in {days} days?
= daily = laps * meters | Every day {A} swims {=} meters.
= swum = daily * days | In {days} days {he} swims {=} meters.
= above = swum - goal | That is {=} meters above the goal.

@ running_weeks sport
# first=3..9 more=2..4 weeks=3..8
+ {A} runs {first} kilometers in the first week of training.
+ Each week {he} runs {more} kilometers more than the week before. | Each later week {A} runs {more} kilometers more than the week before.
? How many kilometers does {he} run in week {weeks}? | How many kilometers does {A} run in week {weeks} of training?
= later = weeks - 1 | After the first week come {=} weeks.
= added = later * more | By then {A} runs {=} kilometers more.
= distance = first + added | In week {weeks} {he} runs {=} kilometers.
> distance = first
> for week in range(weeks - 1):
>     distance = distance + more
> ans = distance

@ basketball_shots sport
# twos=4..20 threes=2..9 free=2..9
+ {A} makes {twos} shots for 2 points and {threes} shots for 3 points. | {A} makes {twos} shots for 2 points. & {A} makes {threes} shots for 3 points.
+ {He} also makes {free} free throws for 1 point each. | {A} makes {free} free throws for 1 point each.
? How many points does {he} score? | How many points does {A} score in all?
= short = twos * 2 | The first shots give {=} points.
= long = threes * 3 | The longer shots give {=} points.
= score = short + long + free | With the free throws that is {=} points.

@ season_tickets sport sport:SPORT
# games=8..30 price=8..30 season=60..180
: games * price > season + 1
+ A ticket for one {sport} game costs {price} dollars.
+ A ticket for all {games} games costs {season} dollars. | There are {games} games. & A ticket for all the games costs {season} dollars.
? How much does a fan save with the ticket for all games? | How many dollars does a fan save with the ticket for all the {sport} games?
= single = games * price | Single tickets cost {=} dollars.
= saved = single - season | The fan saves {=} dollars.

@ team_shirts sport
# teams=3..12 players=6..15 spare=4..20 price=8..25
+ {teams} teams take part in a cup, and each team has {players} players. | There are {teams} teams. & Each team has {players} players.
+ Every player gets a shirt, and {spare} shirts are kept as spare ones. | Every player gets one shirt. & {spare} shirts are spare.
+ A shirt costs {price} dollars.
? How much do all the shirts cost? | How many dollars do all the shirts cost with the spare ones?
= players_all = teams * players | There are {=} players.
= shirts = players_all + spare | That makes {=} shirts.
= cost = shirts * price | They cost {=} dollars.

@ ball_baskets sport sport:SPORT
# bags=3..12 balls=5..15 flat=3..20 groups=3..9
: 2 <= share <= 40
+ {A sport} club owns {bags} bags with {balls} balls each. | There are {bags} bags. & Each bag has {balls} balls.
+ {flat} balls are flat.
+ The good balls are shared equally by {groups} teams.
? How many good balls does each team get?
= total = bags * balls | The club owns {=} balls.
= good = total - flat | That leaves {=} good balls.
= share = good / groups | Each team gets {=} balls.

@ race_times sport
# laps=4..20 seconds=40..90 slower=3..12
+ {A} runs {laps} laps and needs {seconds} seconds for each lap. | {A} runs {laps} laps. & {A} needs {seconds} seconds for each lap.
+ {B} needs {slower} seconds more for each lap. | {B} needs {slower} seconds more than {A} for each lap.
? How many seconds does {B} need for all the laps? | How many seconds does {B} need for {laps} laps?
= one = seconds + slower | {B} needs {=} seconds for one lap.
= total = one * laps | For all laps {he2} needs {=} seconds.

@ gym_members sport
# members=40..200 joined=10..60 left=5..40 fee=10..40
: members + joined > left
: (members + joined - left) * fee < 9999
+ A gym has {members} members.
+ In [spring/summer] {joined} new members join and {left} members leave. | {joined} new members join. & {left} members leave.
+ Each member pays {fee} dollars a month.
? How much does the gym get each month then? | How many dollars does the gym get each month after the change?
= more = members + joined | With the new ones there are {=} members.
= now_in = more - left | After that there are {=} members.
= income = now_in * fee | They pay {=} dollars a month.

@ jumps_target sport new
# goal=:first+second+rest first=20..90 second=:first+more more=5..40 rest:=10..80
+ {A} wants to do {goal} jumps in three rounds. | The goal is {goal} jumps.
+ In round one {he} does {first} jumps. | {A} does {first} jumps in round one.
+ In round two {he} does {more} more than in round one. | {A} does {more} more jumps in round two than in round one.
? How many jumps remain for round three?
= second = first + more | Round two has {=} jumps.
= done = first + second | So far {=} jumps are done.
= remain = goal - done | Round three needs {=} jumps.

@ heart_beats sport
# rest=50..80 faster=20..60 minutes=5..30
: (rest + faster) * minutes < 5000
+ At rest {A}'s heart beats {rest} times a minute. | At rest the heart beats {rest} times a minute.
+ When {he} runs it beats {faster} times a minute more. | When {A} runs the heart beats {faster} times a minute more.
+ {A} runs for {minutes} minutes.
? How many times does {his} heart beat during the run? | How many times does the heart of {A} beat during the run?
= running = rest + faster | On the run it beats {=} times a minute.
= beats = running * minutes | In all it beats {=} times.
"""
