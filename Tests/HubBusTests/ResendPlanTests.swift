import Testing

@testable import HubBus

@Suite struct ResendPlanTests {
    private func lane(_ key: String) -> ResendPlan.Lane { .init(topic: "t", partition: -1, key: bytes(key)) }

    @Test func deliveredInOrderSettlesOneByOne() {
        var plan = ResendPlan()
        for number: UInt in 1...3 { #expect(plan.add(number, lane: lane("a")) == true) }
        #expect(plan.delivered(1) == [1])
        #expect(plan.delivered(3) == [])
        #expect(plan.delivered(2) == [2, 3])
        #expect(plan.count == 0)
        #expect(plan.delivered(2) == [])
    }

    @Test func afterAFailureEverythingOfTheKeyFromThereOnIsSentAgain() {
        var plan = ResendPlan()
        for number: UInt in 1...4 { #expect(plan.add(number, lane: lane("a")) == true) }
        #expect(plan.add(5, lane: lane("b")) == true)
        #expect(plan.delivered(1) == [1])
        plan.failed(2)
        #expect(plan.takeResends() == [], "3 and 4 are still out")
        #expect(plan.add(6, lane: lane("a")) == false, "new records of the key wait")
        #expect(plan.add(7, lane: lane("b")) == true, "those of other keys do not")
        #expect(plan.delivered(3) == [])
        #expect(plan.delivered(4) == [])
        #expect(plan.takeResends() == [2, 3, 4, 6])
        #expect(!plan.hasBroken)
        #expect(plan.delivered(2) == [2])
        #expect(plan.delivered(3) == [3])
        #expect(plan.delivered(4) == [4])
        #expect(plan.delivered(6) == [6])
        #expect(plan.count == 2)
    }

    @Test func aRecordBeforeTheFailedOneSettlesByItself() {
        var plan = ResendPlan()
        for number: UInt in 1...2 { _ = plan.add(number, lane: lane("a")) }
        plan.failed(2)
        #expect(plan.takeResends() == [])
        #expect(plan.delivered(1) == [1])
        #expect(plan.takeResends() == [2])
    }

    @Test func recordsWithoutAKeyGoAgainAlone() {
        var plan = ResendPlan()
        for number: UInt in 1...3 { #expect(plan.add(number, lane: nil) == true) }
        plan.failed(2)
        #expect(plan.delivered(1) == [1])
        #expect(plan.takeResends() == [2])
        #expect(plan.delivered(3) == [3])
        #expect(plan.delivered(2) == [2])
        #expect(plan.count == 0)
    }

    @Test func aRefusedRecordLeavesTheOthersOfItsKey() {
        var plan = ResendPlan()
        for number: UInt in 1...3 { _ = plan.add(number, lane: lane("a")) }
        #expect(plan.delivered(2) == [])
        #expect(plan.refused(1) == [2])
        #expect(plan.delivered(3) == [3])
    }

    @Test func abandoningTakesEverythingAfterItOfTheKey() {
        var plan = ResendPlan()
        for number: UInt in 1...4 { _ = plan.add(number, lane: lane("a")) }
        plan.failed(1)
        #expect(plan.delivered(4) == [])
        #expect(plan.abandon(2) == [2, 3, 4])
        #expect(plan.takeResends() == [1])
        #expect(plan.delivered(3) == [], "a late report of an abandoned record")
        #expect(plan.delivered(1) == [1])
        #expect(plan.count == 0)
    }

    /// A broker that refuses at random, reports in any order between partitions and in order within one: whatever happens, once all is
    /// settled the last record of every key in the log is the last one handed over, and nothing is settled that is not in the log.
    @Test(arguments: 0..<300 as Range<UInt64>) func seeded(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var plan = ResendPlan()
        var log: [UInt] = []
        var queue: [UInt] = []
        var keys: [UInt: String] = [:]
        var settled: Set<UInt> = []
        var next: UInt = 1
        let total: UInt = 60
        var steps = 0
        while settled.count < Int(total), steps < 100_000 {
            steps += 1
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where next <= total:
                let key = "k\(Int.random(in: 0..<4, using: &random))"
                keys[next] = key
                if plan.add(next, lane: lane(key)) { queue.append(next) }
                next += 1
            case 1, 2:
                guard !queue.isEmpty else { continue }
                // In order within the queue, as in one partition.
                let number = queue.removeFirst()
                if Int.random(in: 0..<10, using: &random) < 3 {
                    // A failed record may have been written all the same.
                    if Bool.random(using: &random) { log.append(number) }
                    plan.failed(number)
                } else {
                    log.append(number)
                    for number in plan.delivered(number) {
                        let isNew = settled.insert(number).inserted
                        #expect(isNew)
                        #expect(log.contains(number))
                    }
                }
            default: queue += plan.takeResends()
            }
        }
        #expect(settled.count == Int(total))
        #expect(plan.count == 0)
        for (key, numbers) in Dictionary(grouping: keys.keys, by: { keys[$0] ?? "" }) {
            #expect(log.last { keys[$0] == key } == numbers.max())
        }
    }
}
