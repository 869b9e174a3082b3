/// One text's way through a regular expression: tries with a stack of its own, no recursion but for look-around.
struct PatternMatch {
    let program: PatternProgram
    let text: [UInt32]

    /// Pairs of places in the program and the text that have been tried: what failed once fails again. Empty where it does not hold.
    private var tried: [UInt64] = []
    private var steps = 0

    /// How many steps a pattern with look-around or back-references may take.
    private static let maxSteps = 2_000_000
    /// The largest table of places tried, in bits.
    private static let maxTried = 1 << 22

    private struct State {
        var instruction: Int
        var place: Int
        var slots: [Int]
    }

    init(program: PatternProgram, text: [UInt32]) {
        self.program = program
        self.text = text
        let size = program.instructions.count.multipliedReportingOverflow(by: text.count + 1)
        if program.isRegular, !size.overflow, size.partialValue <= Self.maxTried {
            tried = Array(repeating: 0, count: size.partialValue / 64 + 1)
        }
    }

    /// Whether the pattern is found anywhere; nil where the steps ran out.
    mutating func search() -> Bool? {
        for start in 0...text.count {
            guard let found = run(from: 0, at: start, slots: Array(repeating: -1, count: tried.isEmpty ? program.slotCount : 0)) else {
                return nil
            }
            if found.isMatch { return true }
        }
        return false
    }

    private mutating func run(from instruction: Int, at place: Int, slots: [Int]) -> (isMatch: Bool, slots: [Int])? {
        var stack = [State(instruction: instruction, place: place, slots: slots)]
        while var state = stack.popLast() {
            follow: while true {
                if tried.isEmpty {
                    steps += 1
                    if steps > Self.maxSteps { return nil }
                } else {
                    let bit = state.instruction * (text.count + 1) + state.place
                    if tried[bit >> 6] >> UInt64(bit & 63) & 1 == 1 { break follow }
                    tried[bit >> 6] |= 1 << UInt64(bit & 63)
                }
                switch program.instructions[state.instruction] {
                case .forward(let set):
                    guard state.place < text.count, set.contains(text[state.place]) else { break follow }
                    state.place += 1
                case .backward(let set):
                    guard state.place > 0, set.contains(text[state.place - 1]) else { break follow }
                    state.place -= 1
                case .split(let first, let second):
                    stack.append(State(instruction: second, place: state.place, slots: state.slots))
                    state.instruction = first
                    continue follow
                case .jump(let target):
                    state.instruction = target
                    continue follow
                case .start: if state.place != 0 { break follow }
                case .end: if state.place != text.count { break follow }
                case .boundary(let isNegated): if isBoundary(state.place) == isNegated { break follow }
                case .save(let slot), .mark(let slot): if tried.isEmpty { state.slots[slot] = state.place }
                case .progress(let slot): if tried.isEmpty, state.slots[slot] == state.place { break follow }
                case .backReference(let number, let isBackward):
                    guard let end = follow(number, isBackward, state) else { break follow }
                    state.place = end
                case .look(let isNegated, let next):
                    guard let found = run(from: state.instruction + 1, at: state.place, slots: state.slots) else { return nil }
                    if found.isMatch == isNegated { break follow }
                    if !isNegated { state.slots = found.slots }
                    state.instruction = next
                    continue follow
                case .match: return (true, state.slots)
                }
                state.instruction += 1
            }
        }
        return (false, slots)
    }

    private func isBoundary(_ place: Int) -> Bool {
        let before = place > 0 && PatternSet.word.contains(text[place - 1])
        let after = place < text.count && PatternSet.word.contains(text[place])
        return before != after
    }

    /// Where the text of a group, repeated here, ends; nil where it is not repeated. A group that took no part is empty.
    private func follow(_ number: Int, _ isBackward: Bool, _ state: State) -> Int? {
        let from = state.slots[number * 2]
        let to = state.slots[number * 2 + 1]
        guard from >= 0, to >= from else { return state.place }
        let length = to - from
        let start = isBackward ? state.place - length : state.place
        guard start >= 0, start + length <= text.count else { return nil }
        for offset in 0..<length where text[from + offset] != text[start + offset] { return nil }
        return isBackward ? start : start + length
    }
}
