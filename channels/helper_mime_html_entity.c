/*
 * Character references of HTML; see helper_mime_html_token.h. The table is sorted by
 * bytes; names of two characters and the rarer mathematical ones are left out: they
 * stay as written.
 */
#include <ctype.h>
#include <string.h>

#include "channels/helper_mime_html_token.h"

#define LEGACY 0x10000 /* known also without its semicolon */
#define MAX_NAME 10
#define MAX_LEGACY 6

/* clang-format off */
static const struct {
        char name[MAX_NAME + 1];
        uint32_t cp; /* and LEGACY */
} entities[] = {
    {"AElig", LEGACY | 198}, {"AMP", LEGACY | 38}, {"Aacute", LEGACY | 193},
    {"Abreve", 258}, {"Acirc", LEGACY | 194}, {"Acy", 1040}, {"Agrave", LEGACY | 192},
    {"Alpha", 913}, {"Amacr", 256}, {"Aogon", 260}, {"Aring", LEGACY | 197},
    {"Atilde", LEGACY | 195}, {"Auml", LEGACY | 196}, {"Bcy", 1041}, {"Bernoullis", 8492},
    {"Beta", 914}, {"Breve", 728}, {"Bscr", 8492}, {"CHcy", 1063}, {"COPY", LEGACY | 169},
    {"Cacute", 262}, {"Cap", 8914}, {"Cayleys", 8493}, {"Ccaron", 268},
    {"Ccedil", LEGACY | 199}, {"Ccirc", 264}, {"Cdot", 266}, {"Cedilla", 184},
    {"CenterDot", 183}, {"Cfr", 8493}, {"Chi", 935}, {"Colon", 8759}, {"Copf", 8450},
    {"Cup", 8915}, {"DD", 8517}, {"DJcy", 1026}, {"DScy", 1029}, {"DZcy", 1039},
    {"Dagger", 8225}, {"Darr", 8609}, {"Dcaron", 270}, {"Dcy", 1044}, {"Del", 8711},
    {"Delta", 916}, {"Dot", 168}, {"DotDot", 8412}, {"DoubleDot", 168},
    {"DownBreve", 785}, {"Dstrok", 272}, {"ENG", 330}, {"ETH", LEGACY | 208},
    {"Eacute", LEGACY | 201}, {"Ecaron", 282}, {"Ecirc", LEGACY | 202}, {"Ecy", 1069},
    {"Edot", 278}, {"Egrave", LEGACY | 200}, {"Emacr", 274}, {"Eogon", 280},
    {"Epsilon", 917}, {"Escr", 8496}, {"Eta", 919}, {"Euml", LEGACY | 203}, {"Fcy", 1060},
    {"Fouriertrf", 8497}, {"Fscr", 8497}, {"GJcy", 1027}, {"GT", LEGACY | 62},
    {"Gamma", 915}, {"Gammad", 988}, {"Gbreve", 286}, {"Gcedil", 290}, {"Gcirc", 284},
    {"Gcy", 1043}, {"Gdot", 288}, {"Gg", 8921}, {"Gt", 8811}, {"HARDcy", 1066},
    {"Hacek", 711}, {"Hat", 94}, {"Hcirc", 292}, {"Hfr", 8460}, {"Hopf", 8461},
    {"Hscr", 8459}, {"Hstrok", 294}, {"IEcy", 1045}, {"IJlig", 306}, {"IOcy", 1025},
    {"Iacute", LEGACY | 205}, {"Icirc", LEGACY | 206}, {"Icy", 1048}, {"Idot", 304},
    {"Ifr", 8465}, {"Igrave", LEGACY | 204}, {"Im", 8465}, {"Imacr", 298},
    {"ImaginaryI", 8520}, {"Int", 8748}, {"Iogon", 302}, {"Iota", 921}, {"Iscr", 8464},
    {"Itilde", 296}, {"Iukcy", 1030}, {"Iuml", LEGACY | 207}, {"Jcirc", 308},
    {"Jcy", 1049}, {"Jsercy", 1032}, {"Jukcy", 1028}, {"KHcy", 1061}, {"KJcy", 1036},
    {"Kappa", 922}, {"Kcedil", 310}, {"Kcy", 1050}, {"LJcy", 1033}, {"LT", LEGACY | 60},
    {"Lacute", 313}, {"Lambda", 923}, {"Lang", 10218}, {"Laplacetrf", 8466},
    {"Larr", 8606}, {"Lcaron", 317}, {"Lcedil", 315}, {"Lcy", 1051}, {"Ll", 8920},
    {"Lmidot", 319}, {"Lscr", 8466}, {"Lsh", 8624}, {"Lstrok", 321}, {"Lt", 8810},
    {"Mcy", 1052}, {"Mellintrf", 8499}, {"Mscr", 8499}, {"Mu", 924}, {"NJcy", 1034},
    {"Nacute", 323}, {"Ncaron", 327}, {"Ncedil", 325}, {"Ncy", 1053}, {"NewLine", 10},
    {"NoBreak", 8288}, {"Nopf", 8469}, {"Ntilde", LEGACY | 209}, {"Nu", 925},
    {"OElig", 338}, {"Oacute", LEGACY | 211}, {"Ocirc", LEGACY | 212}, {"Ocy", 1054},
    {"Odblac", 336}, {"Ograve", LEGACY | 210}, {"Omacr", 332}, {"Omega", 937},
    {"Omicron", 927}, {"Oslash", LEGACY | 216}, {"Otilde", LEGACY | 213},
    {"Ouml", LEGACY | 214}, {"OverBar", 8254}, {"Pcy", 1055}, {"Phi", 934}, {"Pi", 928},
    {"PlusMinus", 177}, {"Popf", 8473}, {"Prime", 8243}, {"Psi", 936},
    {"QUOT", LEGACY | 34}, {"Qopf", 8474}, {"REG", LEGACY | 174}, {"Racute", 340},
    {"Rang", 10219}, {"Rarr", 8608}, {"Rcaron", 344}, {"Rcedil", 342}, {"Rcy", 1056},
    {"Re", 8476}, {"Rfr", 8476}, {"Rho", 929}, {"Ropf", 8477}, {"Rscr", 8475},
    {"Rsh", 8625}, {"SHCHcy", 1065}, {"SHcy", 1064}, {"SOFTcy", 1068}, {"Sacute", 346},
    {"Scaron", 352}, {"Scedil", 350}, {"Scirc", 348}, {"Scy", 1057}, {"Sigma", 931},
    {"Sqrt", 8730}, {"Square", 9633}, {"Star", 8902}, {"Sub", 8912}, {"Sum", 8721},
    {"Sup", 8913}, {"THORN", LEGACY | 222}, {"TRADE", 8482}, {"TSHcy", 1035},
    {"TScy", 1062}, {"Tab", 9}, {"Tau", 932}, {"Tcaron", 356}, {"Tcedil", 354},
    {"Tcy", 1058}, {"Theta", 920}, {"ThinSpace", 8201}, {"Tilde", 8764},
    {"TripleDot", 8411}, {"Tstrok", 358}, {"Uacute", LEGACY | 218}, {"Uarr", 8607},
    {"Ubrcy", 1038}, {"Ubreve", 364}, {"Ucirc", LEGACY | 219}, {"Ucy", 1059},
    {"Udblac", 368}, {"Ugrave", LEGACY | 217}, {"Umacr", 362}, {"UnderBar", 95},
    {"Union", 8899}, {"Uogon", 370}, {"UpTee", 8869}, {"Upsi", 978}, {"Upsilon", 933},
    {"Uring", 366}, {"Utilde", 360}, {"Uuml", LEGACY | 220}, {"VDash", 8875},
    {"Vcy", 1042}, {"Vdash", 8873}, {"Vee", 8897}, {"Verbar", 8214}, {"Vert", 8214},
    {"Wcirc", 372}, {"Wedge", 8896}, {"Xi", 926}, {"YAcy", 1071}, {"YIcy", 1031},
    {"YUcy", 1070}, {"Yacute", LEGACY | 221}, {"Ycirc", 374}, {"Ycy", 1067},
    {"Yuml", 376}, {"ZHcy", 1046}, {"Zacute", 377}, {"Zcaron", 381}, {"Zcy", 1047},
    {"Zdot", 379}, {"Zeta", 918}, {"Zfr", 8488}, {"Zopf", 8484}, {"aacute", LEGACY | 225},
    {"abreve", 259}, {"ac", 8766}, {"acd", 8767}, {"acirc", LEGACY | 226},
    {"acute", LEGACY | 180}, {"acy", 1072}, {"aelig", LEGACY | 230}, {"af", 8289},
    {"agrave", LEGACY | 224}, {"alefsym", 8501}, {"aleph", 8501}, {"alpha", 945},
    {"amacr", 257}, {"amp", LEGACY | 38}, {"and", 8743}, {"ang", 8736}, {"angle", 8736},
    {"angrt", 8735}, {"angst", 197}, {"aogon", 261}, {"ap", 8776}, {"ape", 8778},
    {"apid", 8779}, {"apos", 39}, {"aring", LEGACY | 229}, {"ast", 42}, {"asymp", 8776},
    {"atilde", LEGACY | 227}, {"auml", LEGACY | 228}, {"backprime", 8245},
    {"bcong", 8780}, {"bcy", 1073}, {"bdquo", 8222}, {"bepsi", 1014}, {"bernou", 8492},
    {"beta", 946}, {"beth", 8502}, {"bigcirc", 9711}, {"bigstar", 9733}, {"blk12", 9618},
    {"blk14", 9617}, {"blk34", 9619}, {"block", 9608}, {"bot", 8869}, {"boxDL", 9559},
    {"boxDR", 9556}, {"boxDl", 9558}, {"boxDr", 9555}, {"boxH", 9552}, {"boxHD", 9574},
    {"boxHU", 9577}, {"boxHd", 9572}, {"boxHu", 9575}, {"boxUL", 9565}, {"boxUR", 9562},
    {"boxUl", 9564}, {"boxUr", 9561}, {"boxV", 9553}, {"boxVH", 9580}, {"boxVL", 9571},
    {"boxVR", 9568}, {"boxVh", 9579}, {"boxVl", 9570}, {"boxVr", 9567}, {"boxdL", 9557},
    {"boxdR", 9554}, {"boxdl", 9488}, {"boxdr", 9484}, {"boxh", 9472}, {"boxhD", 9573},
    {"boxhU", 9576}, {"boxhd", 9516}, {"boxhu", 9524}, {"boxuL", 9563}, {"boxuR", 9560},
    {"boxul", 9496}, {"boxur", 9492}, {"boxv", 9474}, {"boxvH", 9578}, {"boxvL", 9569},
    {"boxvR", 9566}, {"boxvh", 9532}, {"boxvl", 9508}, {"boxvr", 9500}, {"bprime", 8245},
    {"breve", 728}, {"brvbar", LEGACY | 166}, {"bsemi", 8271}, {"bsim", 8765},
    {"bsime", 8909}, {"bsol", 92}, {"bsolhsub", 10184}, {"bull", 8226}, {"bullet", 8226},
    {"bump", 8782}, {"bumpe", 8783}, {"cacute", 263}, {"cap", 8745}, {"caret", 8257},
    {"caron", 711}, {"ccaron", 269}, {"ccedil", LEGACY | 231}, {"ccirc", 265},
    {"cdot", 267}, {"cedil", LEGACY | 184}, {"cent", LEGACY | 162}, {"centerdot", 183},
    {"chcy", 1095}, {"check", 10003}, {"checkmark", 10003}, {"chi", 967}, {"cir", 9675},
    {"circ", 710}, {"circledR", 174}, {"cire", 8791}, {"clubs", 9827}, {"clubsuit", 9827},
    {"colon", 58}, {"comma", 44}, {"commat", 64}, {"comp", 8705}, {"complexes", 8450},
    {"cong", 8773}, {"copy", LEGACY | 169}, {"copysr", 8471}, {"crarr", 8629},
    {"cross", 10007}, {"ctdot", 8943}, {"cuepr", 8926}, {"cuesc", 8927}, {"cularr", 8630},
    {"cup", 8746}, {"curarr", 8631}, {"curren", LEGACY | 164}, {"cuvee", 8910},
    {"cuwed", 8911}, {"cwint", 8753}, {"dArr", 8659}, {"dagger", 8224}, {"daleth", 8504},
    {"darr", 8595}, {"dash", 8208}, {"dashv", 8867}, {"dblac", 733}, {"dcaron", 271},
    {"dcy", 1076}, {"dd", 8518}, {"ddagger", 8225}, {"ddarr", 8650},
    {"deg", LEGACY | 176}, {"delta", 948}, {"dharl", 8643}, {"dharr", 8642},
    {"diam", 8900}, {"diams", 9830}, {"die", 168}, {"digamma", 989}, {"disin", 8946},
    {"div", 247}, {"divide", LEGACY | 247}, {"djcy", 1106}, {"dollar", 36}, {"dot", 729},
    {"doteq", 8784}, {"dscy", 1109}, {"dstrok", 273}, {"dtdot", 8945}, {"dtri", 9663},
    {"dtrif", 9662}, {"duarr", 8693}, {"dzcy", 1119}, {"dzigrarr", 10239}, {"eDot", 8785},
    {"eacute", LEGACY | 233}, {"ecaron", 283}, {"ecir", 8790}, {"ecirc", LEGACY | 234},
    {"ecy", 1101}, {"edot", 279}, {"ee", 8519}, {"efDot", 8786}, {"egrave", LEGACY | 232},
    {"ell", 8467}, {"emacr", 275}, {"empty", 8709}, {"emsp", 8195}, {"emsp13", 8196},
    {"emsp14", 8197}, {"eng", 331}, {"ensp", 8194}, {"eogon", 281}, {"epar", 8917},
    {"epsi", 949}, {"epsilon", 949}, {"epsiv", 1013}, {"eqsim", 8770}, {"equals", 61},
    {"equiv", 8801}, {"erDot", 8787}, {"escr", 8495}, {"esdot", 8784}, {"esim", 8770},
    {"eta", 951}, {"eth", LEGACY | 240}, {"euml", LEGACY | 235}, {"euro", 8364},
    {"excl", 33}, {"exist", 8707}, {"fcy", 1092}, {"female", 9792}, {"ffilig", 64259},
    {"fflig", 64256}, {"ffllig", 64260}, {"filig", 64257}, {"flat", 9837},
    {"fllig", 64258}, {"fltns", 9649}, {"fnof", 402}, {"forall", 8704}, {"fork", 8916},
    {"frac12", LEGACY | 189}, {"frac13", 8531}, {"frac14", LEGACY | 188},
    {"frac15", 8533}, {"frac16", 8537}, {"frac18", 8539}, {"frac23", 8532},
    {"frac25", 8534}, {"frac34", LEGACY | 190}, {"frac35", 8535}, {"frac38", 8540},
    {"frac45", 8536}, {"frac56", 8538}, {"frac58", 8541}, {"frac78", 8542},
    {"frasl", 8260}, {"gE", 8807}, {"gacute", 501}, {"gamma", 947}, {"gammad", 989},
    {"gbreve", 287}, {"gcirc", 285}, {"gcy", 1075}, {"gdot", 289}, {"ge", 8805},
    {"gel", 8923}, {"geq", 8805}, {"geqq", 8807}, {"gg", 8811}, {"ggg", 8921},
    {"gimel", 8503}, {"gjcy", 1107}, {"gl", 8823}, {"gnE", 8809}, {"gneqq", 8809},
    {"gnsim", 8935}, {"grave", 96}, {"gscr", 8458}, {"gsim", 8819}, {"gt", LEGACY | 62},
    {"gtdot", 8919}, {"hArr", 8660}, {"hairsp", 8202}, {"half", 189}, {"hamilt", 8459},
    {"hardcy", 1098}, {"harr", 8596}, {"harrw", 8621}, {"hbar", 8463}, {"hcirc", 293},
    {"hearts", 9829}, {"heartsuit", 9829}, {"hellip", 8230}, {"hoarr", 8703},
    {"horbar", 8213}, {"hslash", 8463}, {"hstrok", 295}, {"hybull", 8259},
    {"hyphen", 8208}, {"iacute", LEGACY | 237}, {"ic", 8291}, {"icirc", LEGACY | 238},
    {"icy", 1080}, {"iecy", 1077}, {"iexcl", LEGACY | 161}, {"iff", 8660},
    {"igrave", LEGACY | 236}, {"ii", 8520}, {"iiint", 8749}, {"iiota", 8489},
    {"ijlig", 307}, {"imacr", 299}, {"image", 8465}, {"imagline", 8464},
    {"imagpart", 8465}, {"imath", 305}, {"imof", 8887}, {"imped", 437}, {"in", 8712},
    {"incare", 8453}, {"infin", 8734}, {"inodot", 305}, {"int", 8747}, {"integers", 8484},
    {"iocy", 1105}, {"iogon", 303}, {"iota", 953}, {"iquest", LEGACY | 191},
    {"isin", 8712}, {"isinE", 8953}, {"isins", 8948}, {"isinv", 8712}, {"it", 8290},
    {"itilde", 297}, {"iukcy", 1110}, {"iuml", LEGACY | 239}, {"jcirc", 309},
    {"jcy", 1081}, {"jmath", 567}, {"jsercy", 1112}, {"jukcy", 1108}, {"kappa", 954},
    {"kappav", 1008}, {"kcedil", 311}, {"kcy", 1082}, {"kgreen", 312}, {"khcy", 1093},
    {"kjcy", 1116}, {"lAarr", 8666}, {"lArr", 8656}, {"lE", 8806}, {"lacute", 314},
    {"lagran", 8466}, {"lambda", 955}, {"lang", 10216}, {"langle", 10216},
    {"laquo", LEGACY | 171}, {"larr", 8592}, {"larrb", 8676}, {"larrhk", 8617},
    {"larrlp", 8619}, {"larrtl", 8610}, {"lbbrk", 10098}, {"lbrace", 123}, {"lbrack", 91},
    {"lcaron", 318}, {"lcedil", 316}, {"lceil", 8968}, {"lcub", 123}, {"lcy", 1083},
    {"ldquo", 8220}, {"ldquor", 8222}, {"ldsh", 8626}, {"le", 8804}, {"leg", 8922},
    {"leq", 8804}, {"leqq", 8806}, {"lfloor", 8970}, {"lg", 8822}, {"lhard", 8637},
    {"lharu", 8636}, {"lhblk", 9604}, {"ljcy", 1113}, {"ll", 8810}, {"llarr", 8647},
    {"lltri", 9722}, {"lmidot", 320}, {"lnE", 8808}, {"lneqq", 8808}, {"lnsim", 8934},
    {"loang", 10220}, {"loarr", 8701}, {"lobrk", 10214}, {"longmapsto", 10236},
    {"lowast", 8727}, {"lowbar", 95}, {"loz", 9674}, {"lozenge", 9674}, {"lpar", 40},
    {"lrarr", 8646}, {"lrhar", 8651}, {"lrm", 8206}, {"lrtri", 8895}, {"lsaquo", 8249},
    {"lsh", 8624}, {"lsim", 8818}, {"lsqb", 91}, {"lsquo", 8216}, {"lsquor", 8218},
    {"lstrok", 322}, {"lt", LEGACY | 60}, {"ltdot", 8918}, {"ltri", 9667},
    {"ltrie", 8884}, {"ltrif", 9666}, {"mDDot", 8762}, {"macr", LEGACY | 175},
    {"male", 9794}, {"malt", 10016}, {"maltese", 10016}, {"map", 8614}, {"mapsto", 8614},
    {"marker", 9646}, {"mcy", 1084}, {"mdash", 8212}, {"mho", 8487},
    {"micro", LEGACY | 181}, {"mid", 8739}, {"midast", 42}, {"middot", LEGACY | 183},
    {"minus", 8722}, {"mldr", 8230}, {"mp", 8723}, {"mu", 956}, {"mumap", 8888},
    {"nabla", 8711}, {"nacute", 324}, {"nap", 8777}, {"napos", 329}, {"natur", 9838},
    {"natural", 9838}, {"naturals", 8469}, {"nbsp", LEGACY | 160}, {"ncaron", 328},
    {"ncedil", 326}, {"ncong", 8775}, {"ncy", 1085}, {"ndash", 8211}, {"ne", 8800},
    {"neArr", 8663}, {"nearr", 8599}, {"nge", 8817}, {"ngeq", 8817}, {"ngsim", 8821},
    {"ngt", 8815}, {"ngtr", 8815}, {"nhArr", 8654}, {"nharr", 8622}, {"ni", 8715},
    {"nis", 8956}, {"nisd", 8954}, {"niv", 8715}, {"njcy", 1114}, {"nlArr", 8653},
    {"nlarr", 8602}, {"nldr", 8229}, {"nle", 8816}, {"nleq", 8816}, {"nless", 8814},
    {"nlsim", 8820}, {"nlt", 8814}, {"nltri", 8938}, {"nmid", 8740},
    {"not", LEGACY | 172}, {"notin", 8713}, {"notni", 8716}, {"npar", 8742},
    {"npr", 8832}, {"nprec", 8832}, {"nrArr", 8655}, {"nrarr", 8603}, {"nrtri", 8939},
    {"nsc", 8833}, {"nsim", 8769}, {"nsime", 8772}, {"nsmid", 8740}, {"nspar", 8742},
    {"nsub", 8836}, {"nsube", 8840}, {"nsucc", 8833}, {"nsup", 8837}, {"nsupe", 8841},
    {"ntgl", 8825}, {"ntilde", LEGACY | 241}, {"ntlg", 8824}, {"nu", 957}, {"num", 35},
    {"numero", 8470}, {"numsp", 8199}, {"nwArr", 8662}, {"nwarr", 8598},
    {"oacute", LEGACY | 243}, {"oast", 8859}, {"ocir", 8858}, {"ocirc", LEGACY | 244},
    {"ocy", 1086}, {"odash", 8861}, {"odblac", 337}, {"odot", 8857}, {"oelig", 339},
    {"ogon", 731}, {"ograve", LEGACY | 242}, {"ohm", 937}, {"oint", 8750},
    {"olarr", 8634}, {"oline", 8254}, {"omacr", 333}, {"omega", 969}, {"omicron", 959},
    {"oplus", 8853}, {"or", 8744}, {"orarr", 8635}, {"order", 8500}, {"orderof", 8500},
    {"ordf", LEGACY | 170}, {"ordm", LEGACY | 186}, {"oscr", 8500},
    {"oslash", LEGACY | 248}, {"osol", 8856}, {"otilde", LEGACY | 245}, {"otimes", 8855},
    {"ouml", LEGACY | 246}, {"par", 8741}, {"para", LEGACY | 182}, {"part", 8706},
    {"pcy", 1087}, {"percnt", 37}, {"period", 46}, {"permil", 8240}, {"perp", 8869},
    {"pertenk", 8241}, {"phi", 966}, {"phiv", 981}, {"phmmat", 8499}, {"phone", 9742},
    {"pi", 960}, {"piv", 982}, {"planck", 8463}, {"planckh", 8462}, {"plankv", 8463},
    {"plus", 43}, {"plusb", 8862}, {"plusmn", LEGACY | 177}, {"pm", 177},
    {"pound", LEGACY | 163}, {"pr", 8826}, {"prcue", 8828}, {"prec", 8826},
    {"prime", 8242}, {"primes", 8473}, {"prod", 8719}, {"prop", 8733}, {"prsim", 8830},
    {"psi", 968}, {"puncsp", 8200}, {"qprime", 8279}, {"quest", 63},
    {"quot", LEGACY | 34}, {"rAarr", 8667}, {"rArr", 8658}, {"racute", 341},
    {"radic", 8730}, {"rang", 10217}, {"rangle", 10217}, {"raquo", LEGACY | 187},
    {"rarr", 8594}, {"rarrb", 8677}, {"rarrhk", 8618}, {"rarrlp", 8620}, {"rarrtl", 8611},
    {"rarrw", 8605}, {"ratio", 8758}, {"rationals", 8474}, {"rbbrk", 10099},
    {"rbrace", 125}, {"rbrack", 93}, {"rcaron", 345}, {"rcedil", 343}, {"rceil", 8969},
    {"rcub", 125}, {"rcy", 1088}, {"rdquo", 8221}, {"rdquor", 8221}, {"rdsh", 8627},
    {"real", 8476}, {"realine", 8475}, {"realpart", 8476}, {"reals", 8477},
    {"rect", 9645}, {"reg", LEGACY | 174}, {"rfloor", 8971}, {"rhard", 8641},
    {"rharu", 8640}, {"rho", 961}, {"rhov", 1009}, {"ring", 730}, {"rlarr", 8644},
    {"rlhar", 8652}, {"rlm", 8207}, {"roang", 10221}, {"roarr", 8702}, {"robrk", 10215},
    {"rpar", 41}, {"rrarr", 8649}, {"rsaquo", 8250}, {"rsh", 8625}, {"rsqb", 93},
    {"rsquo", 8217}, {"rsquor", 8217}, {"rtri", 9657}, {"rtrie", 8885}, {"rtrif", 9656},
    {"rx", 8478}, {"sacute", 347}, {"sbquo", 8218}, {"sc", 8827}, {"scaron", 353},
    {"sccue", 8829}, {"scedil", 351}, {"scirc", 349}, {"scsim", 8831}, {"scy", 1089},
    {"sdot", 8901}, {"sdotb", 8865}, {"seArr", 8664}, {"searr", 8600},
    {"sect", LEGACY | 167}, {"semi", 59}, {"setmn", 8726}, {"sext", 10038},
    {"sharp", 9839}, {"shchcy", 1097}, {"shcy", 1096}, {"shy", LEGACY | 173},
    {"sigma", 963}, {"sigmaf", 962}, {"sigmav", 962}, {"sim", 8764}, {"sime", 8771},
    {"simeq", 8771}, {"simne", 8774}, {"slarr", 8592}, {"smid", 8739}, {"softcy", 1100},
    {"sol", 47}, {"spades", 9824}, {"spadesuit", 9824}, {"spar", 8741}, {"sqcap", 8851},
    {"sqcup", 8852}, {"sqsub", 8847}, {"sqsup", 8848}, {"squ", 9633}, {"square", 9633},
    {"squarf", 9642}, {"squf", 9642}, {"srarr", 8594}, {"star", 9734}, {"starf", 9733},
    {"strns", 175}, {"sub", 8834}, {"sube", 8838}, {"subne", 8842}, {"succ", 8827},
    {"sum", 8721}, {"sung", 9834}, {"sup", 8835}, {"sup1", LEGACY | 185},
    {"sup2", LEGACY | 178}, {"sup3", LEGACY | 179}, {"supe", 8839}, {"suphsol", 10185},
    {"supne", 8843}, {"swArr", 8665}, {"swarr", 8601}, {"szlig", LEGACY | 223},
    {"tau", 964}, {"tcaron", 357}, {"tcedil", 355}, {"tcy", 1090}, {"tdot", 8411},
    {"there4", 8756}, {"theta", 952}, {"thetasym", 977}, {"thetav", 977},
    {"thinsp", 8201}, {"thkap", 8776}, {"thorn", LEGACY | 254}, {"tilde", 732},
    {"times", LEGACY | 215}, {"tint", 8749}, {"top", 8868}, {"tprime", 8244},
    {"trade", 8482}, {"triangle", 9653}, {"tridot", 9708}, {"trie", 8796}, {"tscy", 1094},
    {"tshcy", 1115}, {"tstrok", 359}, {"twixt", 8812}, {"uArr", 8657},
    {"uacute", LEGACY | 250}, {"uarr", 8593}, {"ubrcy", 1118}, {"ubreve", 365},
    {"ucirc", LEGACY | 251}, {"ucy", 1091}, {"udarr", 8645}, {"udblac", 369},
    {"ugrave", LEGACY | 249}, {"uharl", 8639}, {"uharr", 8638}, {"uhblk", 9600},
    {"ultri", 9720}, {"umacr", 363}, {"uml", LEGACY | 168}, {"uogon", 371},
    {"uplus", 8846}, {"upsi", 965}, {"upsih", 978}, {"upsilon", 965}, {"uring", 367},
    {"urtri", 9721}, {"utdot", 8944}, {"utilde", 361}, {"utri", 9653}, {"utrif", 9652},
    {"uuarr", 8648}, {"uuml", LEGACY | 252}, {"vArr", 8661}, {"vDash", 8872},
    {"varepsilon", 1013}, {"varkappa", 1008}, {"varphi", 981}, {"varpi", 982},
    {"varr", 8597}, {"varrho", 1009}, {"varsigma", 962}, {"vartheta", 977}, {"vcy", 1074},
    {"vdash", 8866}, {"vee", 8744}, {"veeeq", 8794}, {"verbar", 124}, {"vert", 124},
    {"vltri", 8882}, {"vprop", 8733}, {"vrtri", 8883}, {"wcirc", 373}, {"wedge", 8743},
    {"weierp", 8472}, {"wp", 8472}, {"wr", 8768}, {"xcap", 8898}, {"xcirc", 9711},
    {"xcup", 8899}, {"xdtri", 9661}, {"xhArr", 10234}, {"xharr", 10231}, {"xi", 958},
    {"xlArr", 10232}, {"xlarr", 10229}, {"xmap", 10236}, {"xnis", 8955}, {"xrArr", 10233},
    {"xrarr", 10230}, {"xutri", 9651}, {"xvee", 8897}, {"yacute", LEGACY | 253},
    {"yacy", 1103}, {"ycirc", 375}, {"ycy", 1099}, {"yen", LEGACY | 165}, {"yicy", 1111},
    {"yucy", 1102}, {"yuml", LEGACY | 255}, {"zacute", 378}, {"zcaron", 382},
    {"zcy", 1079}, {"zdot", 380}, {"zeetrf", 8488}, {"zeta", 950}, {"zhcy", 1078},
    {"zwj", 8205}, {"zwnj", 8204},
};
/* clang-format on */

/* What Windows wrote into &#128; ... &#159;. */
static const uint16_t windows_1252[32] = {8364, 129, 8218, 402, 8222, 8230, 8224, 8225,
    710, 8240, 352, 8249, 338, 141, 381, 143, 144, 8216, 8217, 8220, 8221, 8226, 8211,
    8212, 732, 8482, 353, 8250, 339, 157, 382, 376};

/* The entry of a name, with LEGACY; 0: there is none. */
static uint32_t
entity_by_name(const char *s, size_t n)
{
        size_t low = 0;
        size_t high = sizeof(entities) / sizeof(entities[0]);

        while (low < high) {
                size_t mid = (low + high) / 2;
                int c = strncmp(entities[mid].name, s, n);

                if (c == 0 && entities[mid].name[n] != '\0')
                        c = 1;
                if (c == 0)
                        return entities[mid].cp;
                if (c < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return 0;
}

static uint32_t
entity_by_number(const char *s, size_t n, size_t *used)
{
        bool hex = n > 0 && (s[0] == 'x' || s[0] == 'X');
        uint32_t cp = 0;
        size_t i = hex;

        for (; i < n &&
               (hex ? isxdigit((unsigned char)s[i]) : isdigit((unsigned char)s[i]));
             i++) {
                int digit =
                    isdigit((unsigned char)s[i]) ? s[i] - '0' : (s[i] | 32) - 'a' + 10;

                if (cp < 0x110000)
                        cp = cp * (hex ? 16 : 10) + (uint32_t)digit;
        }
        if (i == (size_t)hex)
                return 0;
        *used = i;
        if (cp >= 128 && cp < 160)
                return windows_1252[cp - 128];
        return cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000) ? 0xfffd : cp;
}

uint32_t
html_entity(const char *s, size_t n, bool in_attribute, size_t *used)
{
        uint32_t cp;
        size_t len = 0;

        *used = 1;
        if (n > 2 && s[1] == '#') {
                cp = entity_by_number(s + 2, n - 2 < 40 ? n - 2 : 40, &len);
                if (cp != 0)
                        *used = len + 2 + (len + 2 < n && s[len + 2] == ';');
                return cp != 0 ? cp : '&';
        }
        while (len + 1 < n && len <= MAX_NAME && isalnum((unsigned char)s[len + 1]))
                len++;
        if (len == 0)
                return '&';
        if (len <= MAX_NAME && len + 1 < n && s[len + 1] == ';' &&
            (cp = entity_by_name(s + 1, len)) != 0) {
                *used = len + 2;
                return cp & (LEGACY - 1);
        }
        for (len = in_attribute       ? 0
                   : len < MAX_LEGACY ? len
                                      : MAX_LEGACY;
             len >= 2; len--)
                if ((cp = entity_by_name(s + 1, len)) >= LEGACY) {
                        *used = len + 1;
                        return cp & (LEGACY - 1);
                }
        return '&';
}
