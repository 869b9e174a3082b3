import HubDelivery
import HubDriver
import HubMediation
import HubModel
import HubRules
import HubStore

extension World {
    /// One thing that can happen next.
    enum Step {
        case person(SimulatedApplication)
        case crash
        case repeatFeed(SimulatedApplication)
        case compact
        case takeOver(ApplicationID?)
        case attach
        case page
        case publish(SimulatedApplication)
        case beginMediation(SimulatedApplication)
        case commitMediation(Int)
        case release
        case beginOutbox
        case advanceOutbox(Int)
        case poll(ApplicationID)
        case resume(ApplicationID)
        case send(Int)
        case answer(Int)
        case takeEffect(SimulatedCall)
        case reply(SimulatedCall)
        case timeOut(SimulatedCall)
        case refuse(SimulatedCall)
    }

    /// All steps that are possible now, with their weights.
    func possible(isQuiet: Bool) throws -> [(weight: Double, step: Step)] {
        var steps: [(weight: Double, step: Step)] = []
        if !isQuiet {
            for application in applications.prefix(2) { steps.append((options.peopleWeight, .person(application))) }
            steps.append((0.05, .crash))
            for application in applications where !application.topic.isEmpty { steps.append((0.05, .repeatFeed(application))) }
            if !topic.isEmpty { steps.append((0.05, .compact)) }
            if options.hubs > 1 {
                for lease in ["crm", "erp", nil] as [ApplicationID?] { steps.append((0.1, .takeOver(lease))) }
            }
            if options.attachesThird, !routed.contains("web") { steps.append((0.03, .attach)) }
        }
        try transaction { store in
            if routed.contains("web"), let progress = try store.catchUp("web"), !progress.entities.isEmpty { steps.append((1, .page)) }
            for application in applications {
                if !application.unpublished.isEmpty { steps.append((1, .publish(application))) }
                let partition = self.partition(application.id)
                let offset = try store.offset(self.plan.mediationGroup, partition) ?? 0
                guard Int(offset) < application.topic.count, routed.contains(application.id) else { continue }
                let epoch = self.epochs[application.id] ?? 1
                if !mediations.contains(where: { $0.application == application.id && $0.epoch == epoch }) {
                    steps.append((1, .beginMediation(application)))
                }
            }
            if !publishers.contains(where: { $0.machine.epoch == self.brokerEpoch }), try !store.outbox(after: 0, limit: 1).isEmpty {
                steps.append((1, .beginOutbox))
            }
            if try !store.releasable(limit: 1).isEmpty { steps.append((1, .release)) }
            for id in routed {
                let offset = try store.offset(self.plan.deliveryGroup(id), World.canonical) ?? 0
                if Int(offset) < topic.count { steps.append((1, .poll(id))) }
                let due = try store.waiting(id, [.ready, .calling, .settle, .retry, .changed], until: self.instant, limit: 100)
                if due.contains(where: { row in !self.isBusy(id, row.target.id) }) { steps.append((1, .resume(id))) }
            }
        }
        for index in mediations.indices { steps.append((1, .commitMediation(index))) }
        for index in publishers.indices { steps.append((1, .advanceOutbox(index))) }
        for (index, lane) in lanes.enumerated() {
            if lane.decided != nil { steps.append((1, .send(index))) }
            if lane.sent?.answer != nil { steps.append((1, .answer(index))) }
        }
        for call in calls {
            if call.state == .inTheAir {
                steps.append((0.7, .takeEffect(call)))
                if call.answer == nil, !isQuiet { steps.append((0.03, .refuse(call))) }
            }
            if call.answer == nil, call.state == .done { steps.append((1, .reply(call))) }
            if call.answer == nil, !isQuiet { steps.append((0.08, .timeOut(call))) }
        }
        return steps
    }

    static let canonical = TopicPartition("sim.canonical", 0)

    func isBusy(_ application: ApplicationID, _ id: CanonicalID) -> Bool {
        lanes.contains { $0.application == application && $0.id == id }
    }

    // MARK: Carrying out

    func carryOut(_ step: Step) throws {
        switch step {
        case .person(let application): application.person(in: self)
        case .crash: crash()
        case .repeatFeed(let application): application.repeat(in: self)
        case .compact: compact()
        case .takeOver(let lease): try takeOver(lease)
        case .attach: try attach()
        case .page:
            try transaction { store in
                _ = try CatchUpPager.page("web", plan: self.plan, limit: 1, now: self.instant, in: store)
            }
        case .publish(let application): application.publish(in: self)
        case .beginMediation(let application):
            try transaction { store in
                let offset = try store.offset(self.plan.mediationGroup, self.partition(application.id)) ?? 0
                self.mediations.append((application.id, self.epochs[application.id] ?? 1, offset))
            }
        case .commitMediation(let index): try mediate(mediations.remove(at: index))
        case .release:
            try transaction { store in _ = try self.mediator().release(limit: 10, now: self.instant, in: store) }
            try settleTold()
        case .beginOutbox: try beginOutbox()
        case .advanceOutbox(let index): try advanceOutbox(index)
        case .poll(let id): try poll(id)
        case .resume(let id): try resume(id)
        case .send(let index): send(index)
        case .answer(let index): try answer(index)
        case .takeEffect(let call): try takeEffect(call)
        case .reply(let call): call.answer = call.result
        case .timeOut(let call):
            call.answer = call.timeOut
            log { "#\(call.number) times out (\(call.state))" }
            if call.state == .inTheAir, random.unit() < 0.3 { call.state = .lost }
        case .refuse(let call):
            call.state = .lost
            call.answer = .unreachable
            log { "#\(call.number) is refused before it has any effect" }
        }
        if let violation { throw violation }
        calls.removeAll { $0.state != .inTheAir && $0.answer != nil }
    }

    /// What no application does: take effect after its settle time. Calls that are due are carried out or lost.
    func forceDue() throws {
        for call in calls where call.state == .inTheAir && now >= call.sent + World.settleTime - 1 {
            if random.unit() < 0.3 { call.state = .lost } else { try takeEffect(call) }
            if call.state == .lost, call.answer == nil { call.answer = call.timeOut }
        }
        for call in calls where call.answer == nil && now >= call.sent + World.answerTime {
            call.answer = call.state == .done ? call.result : call.timeOut
        }
    }

    private func takeEffect(_ call: SimulatedCall) throws {
        call.state = .done
        call.result = try application(call.call.target.application).carryOut(call, in: self)
        if call.isWrite { log { "#\(call.number) effective: \(call.result.map { "\($0)" } ?? "")" } }
    }

    private func crash() {
        log { "CRASH" }
        for call in calls where call.answer == nil { call.answer = call.timeOut }
        lanes = []
        mediations = []
        publishers = []
    }

    private func compact() {
        var last: [CanonicalID: Int] = [:]
        for (index, entry) in topic.enumerated() {
            if let key = entry?.record.key { last[CanonicalID(String(decoding: key, as: UTF8.self))] = index }
        }
        let keep = Set(last.values)
        for index in topic.indices where !keep.contains(index) { topic[index] = nil }
    }

    private func takeOver(_ lease: ApplicationID?) throws {
        log { "takeover \(lease?.rawValue ?? "outbox")" }
        try transaction { store in
            if let lease {
                self.epochs[lease] = try store.raiseEpoch(self.plan.mediationGroup, self.partition(lease))
            } else {
                self.brokerEpoch = try store.raiseEpoch("outbox", TopicPartition("outbox", 0))
            }
        }
    }

    private func attach() throws {
        log { "attach web" }
        routed.append("web")
        try transaction { store in
            try store.putOffset(Int64(self.topic.count), self.plan.deliveryGroup("web"), World.canonical)
            try CatchUpPager.begin("web", plan: self.plan, in: store)
        }
    }

    // MARK: Mediation and outbox

    private func mediate(_ step: (application: ApplicationID, epoch: Int64, offset: Int64)) throws {
        let mediator = mediator()
        let record = application(step.application).topic[Int(step.offset)].record
        let batch = Mediator.Batch(
            partition: partition(step.application), epoch: step.epoch,
            records: [(record, mediator.pipeline.prepare(record, now: instant))], from: step.offset, nextOffset: step.offset + 1)
        do {
            try transaction { store in _ = try mediator.commit(batch, now: self.instant, in: store) }
        } catch let error as StoreError where error.code == .fenced {
            return
        }
        try settleTold()
    }

    private func beginOutbox() throws {
        var machine = OutboxPublisher(epoch: brokerEpoch)
        try transaction { store in
            let rows = try store.outbox(after: 0, limit: 1 + self.random.below(3))
            if case .produce(let rows) = machine.loaded(rows) { self.publishers.append((machine, rows, 0)) }
        }
    }

    private func advanceOutbox(_ index: Int) throws {
        var current = publishers[index]
        if current.next < current.rows.count {
            // The broker refuses a publisher whose lease has been taken over.
            guard current.machine.epoch == brokerEpoch else {
                publishers.remove(at: index)
                return
            }
            produce(current.rows[current.next])
            current.next += 1
            publishers[index] = current
            return
        }
        publishers.remove(at: index)
        guard case .clear(let last) = current.machine.produced() else { return }
        do {
            try transaction { store in
                try store.check(epoch: current.machine.epoch, "outbox", TopicPartition("outbox", 0))
                try store.clearOutbox(through: last)
            }
        } catch let error as StoreError where error.code == .fenced {
            return
        }
    }

    private func produce(_ row: OutboxRow) {
        if row.record.topic == plan.outcomesTopic {
            // Rows that are produced twice after a crash are one outcome.
            if seenOutcomes.insert(row.sequence).inserted { countOutcome(row.record) }
        } else if let version = row.record.header("ce_id")?.split(separator: "/").last.flatMap({ Version(String($0)) }) {
            topic.append((row.record, version))
        }
    }

    // MARK: Delivery

    private func poll(_ id: ApplicationID) throws {
        let calls = try transaction { store in
            let offset = try store.offset(self.plan.deliveryGroup(id), World.canonical) ?? 0
            var records: [Record] = []
            if var record = self.topic[Int(offset)]?.record {
                record.offset = offset
                records = [record]
            }
            return try Intake(delivery: self.delivery(id)).accept(
                records, partition: World.canonical, nextOffset: offset + 1, busy: { self.isBusy(id, $0) }, now: self.instant, in: store)
        }
        calls.forEach(decide)
    }

    private func resume(_ id: ApplicationID) throws {
        let calls = try transaction { store in
            try Intake(delivery: self.delivery(id)).resume(
                limit: 100, afterStart: true, busy: { self.isBusy(id, $0) }, now: self.instant, in: store)
        }
        calls.forEach(decide)
    }

    private func decide(_ call: DeliveryCall) {
        lanes.append(Lane(id: call.target.id, application: call.target.application, decided: call, heard: heard(call.target)))
        note(call)
    }

    private func heard(_ target: Target) -> Fields {
        (try? store.withTransaction { try $0.target(target).heard?.fields }) ?? Fields()
    }

    private func note(_ call: DeliveryCall) {
        if let write = call.write {
            callCount += 1
            pending[Pending(target: call.target, write: write)] = callCount
        }
    }

    private func send(_ index: Int) {
        guard let call = lanes[index].decided else { return }
        let number = call.write.flatMap { pending[Pending(target: call.target, write: $0)] } ?? 0
        let sent = SimulatedCall(number: number, call: call, sent: now, heard: lanes[index].heard)
        lanes[index].decided = nil
        lanes[index].sent = sent
        guard delivery(lanes[index].application).mayBeSent(call, now: instant) else {
            sent.state = .lost
            sent.answer = .unreachable
            return
        }
        calls.append(sent)
        if sent.isWrite { writes += 1 }
        log { "hub sends #\(number) \(Self.describe(call))" }
    }

    static func describe(_ call: DeliveryCall) -> String {
        switch call.kind {
        case .lookUp(let question): "look-up \(call.target.application) \(question.reference)"
        case .read(let question): "read \(call.target.application) \(question.key)"
        case .apply(let delivery):
            "\(delivery.operation) \(call.target) \(delivery.fields.map { "\($0.name)=\($0.value.text ?? "?")" })"
        }
    }

    private func answer(_ index: Int) throws {
        let lane = lanes[index]
        guard let sent = lane.sent, let reply = sent.answer else { return }
        let step = try transaction { store in
            try self.delivery(lane.application).answered(sent.call, reply, now: self.instant, in: store)
        }
        switch reply {
        case .answer(.changed), .answer(.gone), .answer(.rejected), .answer(.retry), .unreachable:
            if let write = sent.call.write { pending[Pending(target: sent.call.target, write: write)] = nil }
        default: break
        }
        if case .call(let next) = step {
            lanes[index].decided = next
            lanes[index].heard = heard(next.target)
            lanes[index].sent = nil
            note(next)
        } else {
            lanes.remove(at: index)
        }
    }
}
