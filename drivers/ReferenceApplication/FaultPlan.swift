import GRDB
import HubModel

/// What goes wrong in an application on purpose. It stands in the application's file, so every process that has it open obeys it.
package struct FaultPlan: Sendable, Hashable {
    /// What the generator starts from; the same seed and calls give the same faults.
    package var seed: UInt64
    /// Of all writes, the part that fails before any work is done: ``HubModel/Answer/retry(after:reason:)``.
    package var failure = 0.0
    /// Of all calls, the part that never arrives.
    package var unreachable = 0.0
    /// Of all calls, the part whose answer is lost after the work was done.
    package var lostAnswer = 0.0
    /// Of all writes, the part that is answered by nothing and takes effect later, within the settle time.
    package var late = 0.0
    /// Longest delay of a call.
    package var latency = Duration.zero
    /// True during an outage: no call arrives.
    package var isDown = false

    package init(
        seed: UInt64 = 1, failure: Double = 0, unreachable: Double = 0, lostAnswer: Double = 0, late: Double = 0,
        latency: Duration = .zero, isDown: Bool = false
    ) {
        self.seed = seed
        self.failure = failure
        self.unreachable = unreachable
        self.lostAnswer = lostAnswer
        self.late = late
        self.latency = latency
        self.isDown = isDown
    }

    /// True where calls need a number drawn.
    var needsDraw: Bool { unreachable > 0 || lostAnswer > 0 || latency > .zero }

    /// What happens to one write, by a number in 0..<1.
    func fate(_ drawn: Double) -> Fate {
        if drawn < failure { return .failure }
        if drawn < failure + lostAnswer { return .lostAnswer }
        return drawn < failure + lostAnswer + late ? .late : .none
    }

    enum Fate: Sendable { case none, failure, lostAnswer, late }
}

extension ApplicationFile {
    /// Lays down what goes wrong from now on; nil: nothing. The generator starts over.
    package func setFaults(_ plan: FaultPlan?) async throws {
        try await perform { work in
            try work.db.execute(sql: "DELETE FROM fault_plan")
            guard let plan else { return }
            try work.db.execute(
                sql: """
                    INSERT INTO fault_plan (id, seed, failure, unreachable, lost_answer, late, latency, down)
                    VALUES (1, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Int64(bitPattern: plan.seed), plan.failure, plan.unreachable, plan.lostAnswer, plan.late, plan.latency.milliseconds,
                    plan.isDown,
                ])
        }
    }

    /// Starts or lifts an outage; other planned faults stay.
    package func setOutage(_ isDown: Bool) async throws {
        try await perform { work in
            try work.db.execute(
                sql: """
                    INSERT INTO fault_plan (id, seed, failure, unreachable, lost_answer, late, latency, down)
                    VALUES (1, 1, 0, 0, 0, 0, 0, ?)
                    ON CONFLICT (id) DO UPDATE SET down = excluded.down
                    """, arguments: [isDown])
        }
    }
}

extension Work {
    /// What is planned to go wrong; nil: nothing.
    func faults() throws -> FaultPlan? {
        guard let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM fault_plan")) else { return nil }
        return FaultPlan(
            seed: UInt64(bitPattern: row["seed"]), failure: row["failure"], unreachable: row["unreachable"], lostAnswer: row["lost_answer"],
            late: row["late"], latency: .milliseconds(row["latency"] as Int64), isDown: row["down"])
    }

    /// The next number in 0..<1: the seed and the count of draws, mixed as SplitMix64 does (Steele, Lea, Flood 2014).
    func draw(_ plan: FaultPlan) throws -> Double {
        let statement = try db.cachedStatement(sql: "UPDATE fault_plan SET draws = draws + 1 RETURNING draws")
        let count = try Int64.fetchOne(statement) ?? 0
        var x = plan.seed &+ UInt64(bitPattern: count) &* 0x9E37_79B9_7F4A_7C15
        x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
        x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
        x ^= x >> 31
        return Double(x >> 11) / Double(1 << 53)
    }
}
