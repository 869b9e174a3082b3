import HubModel
import HubStore
import Testing

extension StoreContractTests {
    @Test(arguments: StoreKind.all) func targetsThatWaitAreFoundOldestFirst(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                try tx.put(waitingState(.ready, since: 30), Target(crm, "c-1"), customer)
                try tx.put(waitingState(.ready, since: 10), Target(crm, "fr", "c-2"), customer)
                try tx.put(waitingState(.retry, until: 500, since: 20), Target(crm, "c-3"), order)
                try tx.put(waitingState(.retry, until: 900, since: 5), Target(crm, "c-4"), customer)
                try tx.put(waitingState(.reference, awaits: "c-9", since: 1), Target(crm, "c-5"), customer)
                try tx.put(waitingState(.ready, since: 2), Target(erp, "c-1"), customer)
                try tx.put(TargetState(), Target(crm, "c-6"), customer)
            }
            try store.write { (tx) throws in
                let both: Set<TargetState.Wait.Reason> = [.ready, .retry]
                func ids(_ rows: [TargetRow]) -> [CanonicalID] { rows.map(\.target.id) }
                #expect(try ids(tx.waiting(crm, both, until: at(500), limit: 10)) == ["c-2", "c-3", "c-1"])
                #expect(try ids(tx.waiting(crm, both, until: at(499), limit: 10)) == ["c-2", "c-1"])
                #expect(try ids(tx.waiting(crm, both, until: at(900), limit: 2)) == ["c-4", "c-2"])
                // Without a time nothing is left out.
                #expect(try ids(tx.waiting(crm, both, until: nil, limit: 10)) == ["c-4", "c-2", "c-3", "c-1"])
                #expect(try ids(tx.waiting(crm, [], until: nil, limit: 10)) == [])
                #expect(try ids(tx.waiting(crm, both, until: nil, limit: 0)) == [])
                let row = try tx.waiting(crm, [.retry], until: at(500), limit: 1).first
                #expect(row == TargetRow(target: Target(crm, "c-3"), entity: order, state: waitingState(.retry, until: 500, since: 20)))
                #expect(
                    try tx.waitCounts(crm) == [
                        WaitCount(.ready, count: 2, since: at(10)), WaitCount(.reference, count: 1, since: at(1)),
                        WaitCount(.retry, count: 2, since: at(5)),
                    ])
                #expect(try tx.waitCounts(erp) == [WaitCount(.ready, count: 1, since: at(2))])
                #expect(try tx.waitCounts("web") == [])
                #expect(try tx.nextWake(crm) == at(500))
                #expect(try tx.nextWake(erp) == nil)
                #expect(try tx.awaiting(crm, "c-9") == [Target(crm, "c-5")])
                #expect(try tx.awaiting(erp, "c-9") == [])
            }
            try store.write { (tx) throws in
                try tx.put(waitingState(.ready, since: 40), Target(crm, "c-5"), customer)
                try tx.put(TargetState(), Target(crm, "c-3"), order)
                #expect(try tx.awaiting(crm, "c-9") == [])
                #expect(try tx.nextWake(crm) == at(900))
                #expect(try tx.waiting(crm, [.ready, .retry], until: at(600), limit: 10).map(\.target.id) == ["c-2", "c-1", "c-5"])
            }
        }
    }

    @Test(arguments: StoreKind.all) func whatWasRefusedIsListedByTargetUntilItIsTaken(_ kind: StoreKind) throws {
        try kind.run { store in
            @Sendable func refused(_ rule: String) -> TargetState {
                var state = TargetState()
                state.rejected = .init(
                    rejection: Rejection(rule: rule, text: "no"), fields: ["name": "Ann"], version: Version(generation: 1, number: 3),
                    since: at(70))
                return state
            }
            let targets = [Target(crm, "c-1"), Target(crm, "c-2"), Target(crm, "fr", "c-1")]
            try store.write { (tx) throws in
                for target in targets.reversed() { try tx.put(refused("rule"), target, customer) }
                try tx.put(refused("rule"), Target(erp, "c-1"), customer)
                try tx.put(TargetState(), Target(crm, "c-0"), customer)
            }
            try store.write { (tx) throws in
                #expect(try tx.rejections(crm, after: nil, limit: 9).map(\.target) == targets)
                #expect(try tx.rejections(crm, after: nil, limit: 9).first?.state == refused("rule"))
                #expect(try tx.rejections(crm, after: targets[0], limit: 1).map(\.target) == [targets[1]])
                #expect(try tx.rejections(crm, after: targets[2], limit: 9).isEmpty)
                #expect(try tx.rejections(crm, after: nil, limit: 0).isEmpty)
                #expect(try tx.rejections(erp, after: targets[0], limit: 9).map(\.target) == [Target(erp, "c-1")])
                // Refused again, by another rule; and taken.
                try tx.put(refused("other"), targets[1], customer)
                var taken = try tx.target(targets[0])
                taken.rejected = nil
                try tx.put(taken, targets[0], customer)
            }
            let left = try store.write { (tx) throws in try tx.rejections(crm, after: nil, limit: 9) }
            #expect(left.map(\.target) == [targets[1], targets[2]])
            #expect(left.first?.state.rejected?.rejection.rule == "other")
            _ = storeError {
                try store.write { (tx) throws in
                    try tx.put(TargetState(), targets[1], customer)
                    throw GivenUp()
                }
            }
            #expect(try store.write { (tx) throws in try tx.rejections(crm, after: nil, limit: 9).count } == 2)
        }
    }

    @Test(arguments: StoreKind.all) func softReferencesLeftOutAreFoundUntilCompleted(_ kind: StoreKind) throws {
        try kind.run { store in
            let target = Target(crm, "fr", "order-1-1")
            try store.write { (tx) throws in
                var state = TargetState()
                state.leftOut = ["contact": "person-1-1", "payer": "person-1-1", "agent": "person-1-2"]
                try tx.put(state, target, order)
                try tx.put(state, Target(erp, "order-1-1"), order)
            }
            try store.write { (tx) throws in
                #expect(try tx.leavingOut(crm, "person-1-1") == [target])
                #expect(try tx.leavingOut(crm, "person-1-2") == [target])
                #expect(try tx.leavingOut(crm, "person-1-3") == [])
                var state = try tx.target(target)
                state.leftOut["agent"] = nil
                state.leftOut["contact"] = nil
                try tx.put(state, target, order)
                #expect(try tx.leavingOut(crm, "person-1-1") == [target])
                #expect(try tx.leavingOut(crm, "person-1-2") == [])
                #expect(try tx.leavingOut(erp, "person-1-2") == [Target(erp, "order-1-1")])
            }
        }
    }

    @Test(arguments: StoreKind.all) func intentsCountFromWhenTheyWereSentUntilResolved(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                try tx.put(intentState(sent: 50), Target(crm, "c-1"), customer)
                try tx.put(intentState(sent: 70), Target(crm, "c-2"), customer)
            }
            try store.write { (tx) throws in
                #expect(try !tx.hasIntents(crm, customer, sentBy: at(49)))
                #expect(try tx.hasIntents(crm, customer, sentBy: at(50)))
                #expect(try !tx.hasIntents(crm, order, sentBy: at(90)))
                #expect(try !tx.hasIntents(erp, customer, sentBy: at(90)))
                var state = try tx.target(Target(crm, "c-1"))
                state.key = "A"
                try tx.put(state, Target(crm, "c-1"), customer)
                #expect(try !tx.hasIntents(crm, customer, sentBy: at(69)))
                #expect(try tx.hasIntents(crm, customer, sentBy: at(70)))
                try tx.put(TargetState(), Target(crm, "c-2"), customer)
                #expect(try !tx.hasIntents(crm, customer, sentBy: at(1000)))
            }
        }
    }

    @Test(arguments: StoreKind.all) func linksAreKeptByAllFourNamesAndListed(_ kind: StoreKind) throws {
        try kind.run { store in
            let references = [
                NativeReference(crm, customer, "1"), NativeReference(crm, customer, "10"), NativeReference(crm, customer, "2"),
                NativeReference(crm, order, "1"), NativeReference(crm, "fr", customer, "1"), NativeReference(erp, customer, "1"),
                NativeReference(erp, customer, ""), NativeReference(erp, customer, "zero\0byte"), NativeReference(erp, customer, "zero"),
                NativeReference(erp, customer, "é"), NativeReference(erp, customer, "e\u{301}"),
            ]
            try store.write { (tx) throws in
                for (place, reference) in references.enumerated() {
                    #expect(try tx.link(reference) == nil)
                    try tx.putLink(reference, CanonicalID("c-\(place)"))
                }
            }
            try store.write { (tx) throws in
                for (place, reference) in references.enumerated() { #expect(try tx.link(reference) == CanonicalID("c-\(place)")) }
                let sorted = references.sorted()
                var paged: [NativeReference] = []
                while let last = try tx.links(application: nil, entity: nil, after: paged.last, limit: 2).map(\.reference).nonEmpty {
                    paged += last
                }
                #expect(paged == sorted)
                #expect(
                    try tx.links(application: erp, entity: nil, after: nil, limit: 99).map(\.reference)
                        == sorted.filter { $0.application == erp })
                #expect(
                    try tx.links(application: crm, entity: customer, after: nil, limit: 99).map(\.reference)
                        == sorted.filter { $0.application == crm && $0.entity == customer })
                #expect(try tx.links(application: nil, entity: order, after: nil, limit: 99).map(\.id) == ["c-3"])
                #expect(
                    try tx.links(application: erp, entity: customer, after: references[5], limit: 99).allSatisfy {
                        $0.reference > references[5]
                    })
                try tx.putLink(references[0], "other")
                #expect(try tx.link(references[0]) == "other")
            }
        }
    }
}

extension Array {
    fileprivate var nonEmpty: Self? { isEmpty ? nil : self }
}
