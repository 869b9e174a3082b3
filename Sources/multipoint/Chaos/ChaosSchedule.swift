import HubSimulation

/// When the hub is killed and what goes wrong on the bus, drawn from a seed.
struct ChaosSchedule {
    /// What a kill waits for, and how long after it comes.
    enum Moment: Equatable {
        /// After the process was started: topics are being checked, groups joined.
        case start(Duration)
        /// After mediation was first seen at work.
        case mediation(Duration)
        /// After deliveries were first seen to end.
        case delivery(Duration)

        var name: String {
            switch self {
            case .start: "start"
            case .mediation: "mediation"
            case .delivery: "delivery"
            }
        }
    }

    /// Something that goes wrong on the bus: control lines, and those that end it after a while.
    struct BusFault: Equatable {
        var name: String
        var lines: [String]
        var length: Duration?
        var after: [String] = []
    }

    private var kills: SeededRandom
    private var faults: SeededRandom

    init(seed: UInt64) {
        kills = SeededRandom(seed: seed &* 2 &+ 1)
        faults = SeededRandom(seed: seed &* 2 &+ 2)
    }

    mutating func nextKill() -> Moment {
        switch kills.below(100) {
        case 0..<30: return .start(.milliseconds(10 + kills.below(1800)))
        case 30..<70: return .mediation(delay())
        default: return .delivery(delay())
        }
    }

    /// Often at once: the first batches after a start are the largest.
    private mutating func delay() -> Duration {
        .milliseconds(kills.below(2) == 0 ? kills.below(250) : 250 + kills.below(3000))
    }

    /// The pause before the next fault on the bus.
    mutating func pause() -> Duration { .milliseconds(1000 + faults.below(4000)) }

    private static let requests: [(request: String, answers: [String])] = [
        ("produce", ["not-leader", "not-enough-replicas", "timed-out", "disconnect"]), ("fetch", ["not-leader", "disconnect"]),
        ("offset-commit", ["coordinator-not-available", "timed-out"]), ("metadata", ["disconnect"]),
        ("find-coordinator", ["coordinator-not-available"]), ("heartbeat", ["disconnect"]), ("list-offsets", ["not-leader"]),
    ]

    mutating func nextFault() -> BusFault {
        switch faults.below(10) {
        case 0..<2:
            return BusFault(name: "down", lines: ["down"], length: .milliseconds(200 + faults.below(2300)), after: ["up"])
        case 2:
            return BusFault(
                name: "delay", lines: ["delay \(10 + faults.below(70))"], length: .milliseconds(500 + faults.below(1500)),
                after: ["delay 0"])
        default:
            // Half of them hit what is written and read.
            let (request, answers) = faults.below(2) == 0 ? Self.requests[faults.below(3)] : faults.pick(Self.requests)
            return BusFault(name: request, lines: ["errors \(request) \(faults.pick(answers)) \(1 + faults.below(3))"], length: nil)
        }
    }

    /// What ends all faults.
    static let peace = ["up", "delay 0"] + requests.map { "clear \($0.request)" }
}
