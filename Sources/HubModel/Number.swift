/// A decimal number exactly as it was written: no value passes through binary floating point.
///
/// Two numbers are equal where their values are (`2.50 == 2.5`); ``description`` gives the text as written.
public struct Number: Sendable, Hashable {
    @usableFromInline
    enum Storage: Sendable {
        /// coefficient × 10^-scale, which prints exactly as it was written.
        case small(Int64, scale: UInt8)
        /// Anything else (long, or with an exponent), as written.
        case text(String)
    }

    @usableFromInline let storage: Storage

    public init(_ value: Int64) { storage = .small(value, scale: 0) }

    /// `coefficient` × 10^-`scale`, printed with `scale` decimals. A scale over 18 is kept as text.
    public init(_ coefficient: Int64, scale: Int) {
        if scale >= 0 && scale <= 18 {
            storage = .small(coefficient, scale: UInt8(scale))
        } else {
            storage = .text("\(coefficient)e\(-scale)")
        }
    }

    /// From the text of a JSON number; nil where it is none.
    public init?(_ text: String) {
        var text = text
        guard let number = text.withUTF8({ Number(json: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = number
    }

    /// From the bytes of a JSON number (RFC 8259, section 6); nil where they are none.
    public init?(json bytes: UnsafeRawBufferPointer) {
        var i = 0
        let n = bytes.count
        let negative = n > 0 && bytes[0] == 0x2D
        if negative { i = 1 }
        let first = i
        var coefficient: Int64 = 0
        var digits = 0
        while i < n, bytes[i] &- 0x30 < 10 {
            if digits < 18 { coefficient = coefficient &* 10 &+ Int64(bytes[i] &- 0x30) }
            digits += 1
            i += 1
        }
        guard i > first, i == first + 1 || bytes[first] != 0x30 else { return nil }
        var scale = 0
        if i < n, bytes[i] == 0x2E {
            i += 1
            let start = i
            while i < n, bytes[i] &- 0x30 < 10 {
                if digits < 18 { coefficient = coefficient &* 10 &+ Int64(bytes[i] &- 0x30) }
                digits += 1
                i += 1
            }
            scale = i - start
            guard scale > 0 else { return nil }
        }
        let plain = i == n
        if i < n, bytes[i] | 0x20 == 0x65 {
            i += 1
            if i < n, bytes[i] == 0x2B || bytes[i] == 0x2D { i += 1 }
            let start = i
            while i < n, bytes[i] &- 0x30 < 10 { i += 1 }
            guard i > start else { return nil }
        }
        guard i == n else { return nil }
        if plain, digits <= 18, scale <= 18, !(negative && coefficient == 0) {
            storage = .small(negative ? -coefficient : coefficient, scale: UInt8(scale))
        } else {
            storage = .text(String(decoding: bytes, as: UTF8.self))
        }
    }
}

extension Number: CustomStringConvertible {
    public var description: String {
        switch storage {
        case .text(let text): return text
        case .small(let coefficient, let scale):
            if scale == 0 { return String(coefficient) }
            var digits = String(coefficient.magnitude)
            if digits.utf8.count <= Int(scale) {
                digits = String(repeating: "0", count: Int(scale) + 1 - digits.utf8.count) + digits
            }
            let point = digits.utf8.index(digits.utf8.endIndex, offsetBy: -Int(scale))
            return (coefficient < 0 ? "-" : "") + digits[..<point] + "." + digits[point...]
        }
    }
}

extension Number {
    /// Appends ``description``'s bytes, for writers.
    public func append(to bytes: inout [UInt8]) {
        guard case .small(let coefficient, let scale) = storage else {
            bytes.append(contentsOf: description.utf8)
            return
        }
        if coefficient < 0 { bytes.append(0x2D) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { digits in
            var rest = coefficient.magnitude
            var count = 0
            // From the last digit; zeros before the point are written too.
            while rest > 0 || count <= Int(scale) {
                digits[39 - count] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
                count += 1
            }
            let point = 40 - Int(scale)
            bytes.append(contentsOf: digits[(40 - count)..<point])
            if scale > 0 {
                bytes.append(0x2E)
                bytes.append(contentsOf: digits[point..<40])
            }
        }
    }
}

extension Number: Comparable, ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self.init(value) }

    public static func == (a: Number, b: Number) -> Bool {
        if case .small(let x, let s) = a.storage, case .small(let y, let t) = b.storage, s == t { return x == y }
        return Normal(a) == Normal(b)
    }

    public static func < (a: Number, b: Number) -> Bool {
        if case .small(let x, let s) = a.storage, case .small(let y, let t) = b.storage, s == t { return x < y }
        return Normal(a) < Normal(b)
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(Normal(self)) }

    /// Sign, digits without leading and trailing zeros, and the power of ten of the first digit: one form per value.
    private struct Normal: Hashable, Comparable {
        var negative = false
        var digits: [UInt8] = []
        /// The value is 0.digits × 10^magnitude.
        var magnitude = 0

        init(_ number: Number) {
            let text: String =
                switch number.storage {
                case .small(let coefficient, let scale): "\(coefficient)e-\(scale)"
                case .text(let text): text
                }
            var exponent = 0
            var exponentNegative = false
            var inExponent = false
            var pointSeen = false
            for byte in text.utf8 {
                switch byte {
                case 0x2D: if inExponent { exponentNegative = true } else { negative = true }
                case 0x2E: pointSeen = true
                case 0x45, 0x65: inExponent = true
                case 0x30...0x39:
                    if inExponent {
                        // Saturates: exponents past any meaning compare as equally far.
                        if exponent < 1 << 40 { exponent = exponent * 10 + Int(byte - 0x30) }
                    } else if digits.isEmpty && byte == 0x30 {
                        if pointSeen { magnitude -= 1 }
                    } else {
                        digits.append(byte - 0x30)
                        if !pointSeen { magnitude += 1 }
                    }
                default: break
                }
            }
            magnitude += exponentNegative ? -exponent : exponent
            while digits.last == 0 { digits.removeLast() }
            if digits.isEmpty {
                negative = false
                magnitude = 0
            }
        }

        static func < (a: Normal, b: Normal) -> Bool {
            if a.digits.isEmpty || b.digits.isEmpty || a.negative != b.negative {
                return a.signum < b.signum
            }
            let smaller =
                a.magnitude != b.magnitude ? a.magnitude < b.magnitude : a.digits.lexicographicallyPrecedes(b.digits)
            return a == b ? false : smaller != a.negative
        }

        var signum: Int { digits.isEmpty ? 0 : negative ? -1 : 1 }
    }
}

extension Number {
    /// How ``rounded(toScale:_:)`` treats what it cuts off.
    public enum Rounding: Sendable {
        /// Half away from zero, as invoices do.
        case halfUp
        /// Half to the even neighbour, as statisticians do.
        case halfEven
        /// Refuse: nil where anything but zeros would be cut.
        case exact
    }

    /// This number × 10^scale as a whole number; nil where it does not fit 64 bits or, with `.exact`, is not whole.
    public func coefficient(atScale scale: Int, _ rounding: Rounding = .halfUp) -> Int64? {
        guard case .small(var coefficient, let own) = storage else { return longCoefficient(atScale: scale, rounding) }
        if coefficient == 0 { return 0 }
        var from = Int(own)
        while from < scale {
            let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            coefficient = product
            from += 1
        }
        guard from > scale else { return coefficient }
        guard from - scale <= 18 else { return rounding == .exact && coefficient != 0 ? nil : 0 }
        var power: Int64 = 1
        for _ in scale..<from { power *= 10 }
        let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: power)
        if remainder == 0 { return quotient }
        let twice = remainder.magnitude.multipliedReportingOverflow(by: 2)
        let half = twice.overflow ? 1 : twice.partialValue < power.magnitude ? -1 : twice.partialValue == power.magnitude ? 0 : 1
        switch rounding {
        case .exact: return nil
        case .halfUp: return half >= 0 ? quotient + (coefficient < 0 ? -1 : 1) : quotient
        case .halfEven:
            return half > 0 || half == 0 && quotient % 2 != 0 ? quotient + (coefficient < 0 ? -1 : 1) : quotient
        }
    }

    private func longCoefficient(atScale scale: Int, _ rounding: Rounding) -> Int64? {
        // Long or exponent notation: rebuild as plain digits where that is short enough to matter.
        let text = description
        let parts = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
        guard let mantissa = parts.first else { return nil }
        let exponent = parts.count > 1 ? Int(parts[1].drop { $0 == "+" }) : 0
        guard let exponent, exponent > -400, exponent < 400 else { return nil }
        let negative = mantissa.hasPrefix("-")
        let digits = mantissa.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        var whole = Array((digits.first ?? "").utf8)
        var fraction = digits.count > 1 ? Array(digits[1].utf8) : []
        var shift = exponent + scale
        while shift > 0 {
            whole.append(fraction.isEmpty ? 0x30 : fraction.removeFirst())
            shift -= 1
        }
        while shift < 0 {
            fraction.insert(whole.isEmpty ? 0x30 : whole.removeLast(), at: 0)
            shift += 1
        }
        let significant = whole.drop { $0 == 0x30 }
        guard significant.count <= 18 else { return nil }
        var value = significant.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        let rest = fraction.contains { $0 != 0x30 }
        if rest {
            let first = fraction[0]
            let beyond = fraction.dropFirst().contains { $0 != 0x30 }
            switch rounding {
            case .exact: return nil
            case .halfUp: if first >= 0x35 { value += 1 }
            case .halfEven: if first > 0x35 || first == 0x35 && (beyond || value % 2 != 0) { value += 1 }
            }
        }
        return negative ? -value : value
    }

    /// This number with exactly `scale` decimals; nil where it does not fit or, with `.exact`, would lose digits.
    public func rounded(toScale scale: Int, _ rounding: Rounding = .halfUp) -> Number? {
        coefficient(atScale: scale, rounding).map { Number($0, scale: scale) }
    }

    /// The sum of some less the sum of others, each rounded to the scale first; nil where anything of it does not fit 64 bits.
    public static func sum(_ parts: [Number], less others: [Number] = [], scale: Int) -> Number? {
        var total: Int64 = 0
        for (part, isLess) in parts.map({ ($0, false) }) + others.map({ ($0, true) }) {
            guard let units = part.coefficient(atScale: scale) else { return nil }
            let (sum, isTooMuch) = isLess ? total.subtractingReportingOverflow(units) : total.addingReportingOverflow(units)
            guard !isTooMuch else { return nil }
            total = sum
        }
        return Number(total, scale: scale)
    }

    /// The whole number that this is exactly; nil where it has a fraction or does not fit 64 bits.
    public var integer: Int64? { coefficient(atScale: 0, .exact) }
}
