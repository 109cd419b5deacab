// FORMAT(number, decimals [, locale]): a number as people of a country write it.
#include <algorithm>
#include <array>

#include "sql/functions/functions_internal.h"

namespace borealis::sql {
namespace {

using row::Value;

// How digits are written. Before the point the first group, from the right, has three of them; the
// others have `group`.
struct NumberStyle {
  char point;
  char separator;
  size_t group;  // 0: digits are not grouped
  // Locales, each followed by a space.
  std::string_view locales;
};

constexpr NumberStyle kEnglish = {'.', ',', 3, ""};

constexpr std::array<NumberStyle, 9> kStyles = {{
    {'.', ',', 3,
     "ar_AE ar_BH ar_DZ ar_EG ar_IN ar_IQ ar_JO ar_KW ar_LB ar_LY ar_MA ar_OM ar_QA ar_SD ar_SY "
     "ar_TN ar_YE en_AU en_CA en_GB en_NZ en_PH en_US en_ZA en_ZW es_DO es_GT es_HN es_MX es_NI "
     "es_PA es_PE es_PR es_SV es_US gu_IN he_IL hi_IN ja_JP ko_KR ms_MY th_TH ur_PK zh_CN zh_HK "
     "zh_TW "},
    {'.', ',', 2, "en_IN ta_IN te_IN "},
    {'.', '\'', 3, "de_CH "},
    {'.', 0, 0, "ar_SA sr_RS "},
    {',', '.', 3,
     "be_BY da_DK de_BE de_DE de_LU es_AR es_BO es_CL es_CO es_EC es_ES es_PY es_UY es_VE fo_FO "
     "hu_HU id_ID is_IS lt_LT mn_MN nb_NO no_NO ro_RO ru_UA sq_AL tr_TR uk_UA vi_VN "},
    {',', ' ', 3, "cs_CZ es_CR et_EE fi_FI lv_LV mk_MK ru_RU sk_SK sv_FI sv_SE "},
    {',', '\'', 3, "it_CH rm_CH "},
    {',', '\0', 3, "bg_BG "},
    {',', 0, 0,
     "ca_ES de_AT el_GR eu_ES fr_BE fr_CA fr_CH fr_FR fr_LU gl_ES hr_HR it_IT nl_BE nl_NL pl_PL "
     "pt_BR pt_PT sl_SI "},
}};

// The locale is told of, and is English, when there is none of that name.
const NumberStyle& StyleOf(const EvalCall& call, const Args& args) {
  if (args.size() < 3) {
    return kEnglish;
  }
  const std::string name = args.null(2) ? "NULL" : args.TextCopy(2);
  constexpr size_t kNameSize = 5;  // de_CH
  if (name.size() == kNameSize) {
    const std::string wanted = row::LowerText(name) + " ";
    for (const NumberStyle& style : kStyles) {
      if (row::LowerText(style.locales).find(wanted) != std::string::npos) {
        return style;
      }
    }
  }
  call.context.conversion.Warn(UserError(ER_UNKNOWN_LOCALE, name));
  return kEnglish;
}

std::string NumberText(const Args& args, int decimals) {
  if (NumberClassOf(args.type(0)) == NumberClass::kDouble) {
    return row::DoubleText(args.Double(0), decimals);
  }
  row::Decimal number;
  args.Dec(0).Round(decimals, &number);
  return number.ToString();
}

Status EvalFormat(const EvalCall& call, std::span<const Value> values, Value* out) {
  Args args(call, values);
  if (args.null(0) || args.null(1)) {
    *out = Value::Null();
    return {};
  }
  const NumberStyle& style = StyleOf(call, args);
  std::string text = NumberText(args, static_cast<int>(std::clamp<int64_t>(args.Int(1), 0, 30)));
  const size_t point = std::min(text.find('.'), text.size());
  if (point < text.size()) {
    text[point] = style.point;
  }
  const size_t first = text[0] == '-' ? 1 : 0;
  size_t group = 3;
  for (size_t i = point; style.group != 0 && i > first + group; group = style.group) {
    i -= group;
    text.insert(i, 1, style.separator);
  }
  return SetText(call, std::move(text), out);
}

}  // namespace

std::span<const FunctionDef> FormatFunctions() {
  static constexpr FunctionDef kTable[] = {
      {.name = "format",
       .min_args = 2,
       .max_args = 3,
       .infer = InferAscii<90>,
       .eval = EvalFormat,
       .null_if_any_null = false,
       .number_args = 0b11},
  };
  return kTable;
}

}  // namespace borealis::sql
