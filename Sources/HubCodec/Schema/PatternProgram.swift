/// A regular expression as instructions for ``PatternMatch``.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        case forward(PatternSet)
        case backward(PatternSet)
        /// Try the first place, then the second.
        case split(Int, Int)
        case jump(Int)
        case start
        case end
        case boundary(isNegated: Bool)
        case save(slot: Int)
        case backReference(Int, isBackward: Bool)
        /// What follows up to `match` is looked for here without consuming; then on at `next`.
        case look(isNegated: Bool, next: Int)
        /// Remembers where a round of a loop begins; `progress` ends the round where nothing was consumed.
        case mark(slot: Int)
        case progress(slot: Int)
        case match
    }

    private(set) var instructions: [Instruction] = []
    private(set) var slotCount: Int
    /// Neither look-around nor back-references: a place in the program and one in the text are all that counts.
    private(set) var isRegular = true

    static let maxInstructions = 20_000

    init(_ root: PatternNode, groups: Int) throws(PatternError) {
        slotCount = (groups + 1) * 2
        try emit(root, isBackward: false)
        try add(.match)
    }

    private mutating func add(_ instruction: Instruction) throws(PatternError) {
        guard instructions.count < Self.maxInstructions else { throw PatternError("too large once its repetitions are written out") }
        instructions.append(instruction)
    }

    private mutating func emit(_ node: PatternNode, isBackward: Bool) throws(PatternError) {
        switch node {
        case .empty: break
        case .set(let set): try add(isBackward ? .backward(set) : .forward(set))
        case .sequence(let parts):
            for part in isBackward ? parts.reversed() : parts { try emit(part, isBackward: isBackward) }
        case .choice(let parts): try emit(choice: parts, isBackward: isBackward)
        case .group(let inner, let number):
            try add(.save(slot: isBackward ? number * 2 + 1 : number * 2))
            try emit(inner, isBackward: isBackward)
            try add(.save(slot: isBackward ? number * 2 : number * 2 + 1))
        case .repeat(let inner, let min, let max, let isGreedy):
            try emit(repeated: inner, min, max, isGreedy: isGreedy, isBackward: isBackward)
        case .start: try add(.start)
        case .end: try add(.end)
        case .boundary(let isNegated): try add(.boundary(isNegated: isNegated))
        case .look(let inner, let isBehind, let isNegated):
            isRegular = false
            let place = instructions.count
            try add(.match)
            try emit(inner, isBackward: isBehind)
            try add(.match)
            instructions[place] = .look(isNegated: isNegated, next: instructions.count)
        case .backReference(let number):
            isRegular = false
            try add(.backReference(number, isBackward: isBackward))
        }
    }

    private mutating func emit(choice parts: [PatternNode], isBackward: Bool) throws(PatternError) {
        var exits: [Int] = []
        for (number, part) in parts.enumerated() {
            guard number < parts.count - 1 else {
                try emit(part, isBackward: isBackward)
                break
            }
            let place = instructions.count
            try add(.match)
            try emit(part, isBackward: isBackward)
            exits.append(instructions.count)
            try add(.match)
            instructions[place] = .split(place + 1, instructions.count)
        }
        for exit in exits { instructions[exit] = .jump(instructions.count) }
    }

    private mutating func emit(
        repeated inner: PatternNode, _ min: Int, _ max: Int?, isGreedy: Bool, isBackward: Bool
    ) throws(PatternError) {
        func split(_ body: Int, _ exit: Int) -> Instruction { isGreedy ? .split(body, exit) : .split(exit, body) }
        for _ in 0..<min {
            let before = instructions.count
            try emit(inner, isBackward: isBackward)
            if instructions.count == before { return }
        }
        guard let max else {
            let place = instructions.count
            try add(.match)
            let slot = slotCount
            if inner.isNullable {
                slotCount += 1
                try add(.mark(slot: slot))
            }
            try emit(inner, isBackward: isBackward)
            if inner.isNullable { try add(.progress(slot: slot)) }
            try add(.jump(place))
            instructions[place] = split(place + 1, instructions.count)
            return
        }
        var exits: [Int] = []
        for _ in min..<max {
            exits.append(instructions.count)
            try add(.match)
            let before = instructions.count
            try emit(inner, isBackward: isBackward)
            if instructions.count == before { break }
        }
        for exit in exits { instructions[exit] = split(exit + 1, instructions.count) }
    }
}
