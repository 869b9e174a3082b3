import HubModel

/// A decimal number taken apart: digits without zeros at either end, and a power of ten. Zero has no digits.
struct DecimalParts: Sendable {
    private(set) var digits: [UInt8] = []
    /// The value is `digits`, read as a whole number, × 10^`exponent`.
    private(set) var exponent = 0

    init(_ number: Number) {
        var shift = 0
        var isShiftNegative = false
        var inShift = false
        var afterPoint = false
        for byte in number.description.utf8 {
            switch byte {
            case 0x2D: if inShift { isShiftNegative = true }
            case 0x2E: afterPoint = true
            case 0x45, 0x65: inShift = true
            case 0x30...0x39:
                if inShift {
                    // Saturates: past this no exponent means anything else.
                    if shift < 1 << 40 { shift = shift * 10 + Int(byte - 0x30) }
                } else {
                    if !digits.isEmpty || byte != 0x30 { digits.append(byte - 0x30) }
                    if afterPoint { exponent -= 1 }
                }
            default: break
            }
        }
        exponent += isShiftNegative ? -shift : shift
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { exponent = 0 }
    }

    var isZero: Bool { digits.isEmpty }
    var isWhole: Bool { exponent >= 0 }

    /// The digits as a whole number; nil where they do not fit.
    var coefficient: UInt64? {
        var result: UInt64 = 0
        for digit in digits {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            result = sum
        }
        return result
    }

    /// Whether this is a whole multiple of `divisor`, whose coefficient has to fit 64 bits and must not be zero. Exact for any size.
    func isMultiple(of divisor: DecimalParts) -> Bool {
        if isZero { return true }
        guard let modulus = divisor.coefficient, modulus > 0 else { return false }
        let power = exponent - divisor.exponent
        // Without zeros at its end the coefficient is no multiple of ten.
        if power < 0 { return false }
        var remainder: UInt64 = 0
        for digit in digits {
            remainder = Self.product(remainder, 10, modulo: modulus)
            remainder = Self.sum(remainder, UInt64(digit) % modulus, modulo: modulus)
        }
        var base = 10 % modulus
        var rest = power
        while rest > 0 {
            if rest & 1 == 1 { remainder = Self.product(remainder, base, modulo: modulus) }
            base = Self.product(base, base, modulo: modulus)
            rest >>= 1
        }
        return remainder == 0
    }

    /// Whether a number is a whole multiple of this.
    func divides(_ number: Number) -> Bool {
        // What amounts look like: both are whole at this one's scale.
        if (-18...0).contains(exponent), let divisor = coefficient.flatMap(Int64.init(exactly:)), divisor > 0,
            let value = number.coefficient(atScale: -exponent, .exact)
        {
            return value % divisor == 0
        }
        return DecimalParts(number).isMultiple(of: self)
    }

    private static func product(_ a: UInt64, _ b: UInt64, modulo modulus: UInt64) -> UInt64 {
        modulus.dividingFullWidth((a % modulus).multipliedFullWidth(by: b % modulus)).remainder
    }

    private static func sum(_ a: UInt64, _ b: UInt64, modulo modulus: UInt64) -> UInt64 {
        a >= modulus - b ? a - (modulus - b) : a + b
    }
}
